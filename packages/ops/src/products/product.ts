import type { Axis, AxisPort, AxisSite } from '@espalier/core';

/** A number of multiply-adds: `factor` times the sizes of all `axes`; what is left of them, once they are cut. */
export interface Product {
  readonly factor: number;
  readonly axes: readonly Axis[];
}

/** The part of a site that products need. */
export type ProductSite = Pick<AxisSite, 'node' | 'inputs' | 'outputs'>;

/** The rule that counts the multiply-adds of an op. */
export interface ProductRule {
  /** Slots of the two operands that are multiplied, the activation first. */
  readonly operands: readonly [activation: number, weight: number];
  /** The sum of these is the number of multiply-adds; undefined where a shape that it needs is not known. */
  readonly products: (site: AxisSite) => readonly Product[] | undefined;
}

/** One product of the sizes of axes. */
export const product = (...axes: readonly Axis[]): Product => ({ factor: 1, axes });

/** All axes of a value but the last. */
export const rows = ({ axes }: AxisPort): readonly Axis[] => axes.slice(0, -1);
