import type { Attribute, Node, Tensor, ValueId } from '@espalier/core';
import type { Axis, Mark } from './axis-space.js';

/**
 * What becomes of the indices of a constant when their unit is masked. `produces`: they are set to zero, so that the
 * unit is constant from there on. `sums`: a layer sums over them, so a unit of zeros adds nothing. `keeps`: neither
 * (divisors, exponents, variances, scales of quantizers). `inner`: its indices are places within a unit, never units
 * (positions of a kernel).
 */
export type Role = 'produces' | 'sums' | 'keeps' | 'inner';

/** An input or output of a node: its shape with stand-ins for named sizes, and its axes. */
export interface Port {
  readonly value: ValueId;
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  readonly constant: Tensor | undefined;
}

/** What a rule sees of a node, and how it says which indices belong together. */
export interface Site {
  readonly node: Node;
  readonly opset: number;
  readonly inputs: readonly (Port | undefined)[];
  readonly outputs: readonly (Port | undefined)[];
  /** The elements of a constant input of whole numbers; undefined when it is absent or not constant. */
  numbers(slot: number): readonly number[] | undefined;
  /** Which entries of the (one-dimensional) output the graph picks; undefined when all may matter. */
  readEntries(): ReadonlySet<number> | undefined;
  /** Index i of one axis is index i of the other. Axes of other sizes are pinned. */
  same(a: Axis, b: Axis): void;
  /** `count` indices of `a` from `fromA` on, every `stepA`-th, are those of `b` from `fromB` on. */
  run(a: Axis, b: Axis, span: Span): void;
  /** Index i of `a` is index `of(i)` of `b`. */
  map(a: Axis, b: Axis, of: (i: number) => number): void;
  /** All indices of an axis at equal `of(i)` belong together. */
  tie(axis: Axis, of: (i: number) => number): void;
  /** The axis cannot be cut; the reason completes "because ...". */
  pin(axis: Axis, reason: string): void;
  /** Nothing this node touches can be cut. */
  pinAll(reason: string): void;
  mark(axis: Axis, mark: Mark): void;
  /** What masking does to a constant along an axis; `produces` unless said otherwise. */
  role(port: Port | undefined, axis: number, role: Role): void;
  /** The elements of both, in row-major order, are the same: which axes can be cut is settled later. */
  reshape(from: readonly Axis[], to: readonly Axis[]): void;
}

/** Part of a `run`. */
export interface Span {
  readonly fromA?: number;
  readonly stepA?: number;
  readonly fromB?: number;
  readonly count: number;
}

/** What is left of an axis after a cut. */
export interface Kept {
  /** How many indices are left. */
  count(axis: Axis): number;
  /** How many indices below this one are left. */
  before(axis: Axis, index: number): number;
  /** The indices that are left, ascending. */
  indices(axis: Axis): readonly number[];
}

/** How a node changes when axes that it touches are cut. */
export interface Edit {
  readonly op?: string;
  readonly attributes?: Readonly<Record<string, Attribute | undefined>>;
  /** New whole-number inputs by slot (shapes, sizes, bounds); `undefined` removes the input. */
  readonly numbers?: ReadonlyMap<number, readonly number[] | undefined>;
}

/** How the axes of an op's inputs and outputs relate, and what must be rewritten when they are cut. */
export interface AxisRule {
  relate(site: Site): void;
  rewrite?(site: Site, kept: Kept): Edit | undefined;
}

/** An axis number as ONNX writes it, from 0. */
export const axisAt = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
