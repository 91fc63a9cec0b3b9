import type { Dim, DType, EspalierError, Node, ValueInfo } from '@espalier/core';
import type { Elements } from './elements.js';
import type { Contradiction } from './shape-error.js';

/** One node being inferred, and what is known of its inputs. */
export interface Site {
  readonly node: Node;
  /** Version of the operator set of the node's domain; 0 when the graph does not say. */
  readonly opset: number;
  /** All that is known of an input; constants included. */
  info(slot: number): ValueInfo | undefined;
  dtype(slot: number): DType | undefined;
  /** The shape of an input that is a plain tensor of known rank. */
  shape(slot: number): readonly Dim[] | undefined;
  /** The known facts about the elements of a small input. */
  elements(slot: number): Elements | undefined;
  /** A name for a dimension that cannot be known, made of the output's name and the axis. */
  fresh(axis: number, output?: number): string;
  /** The error for inputs that cannot belong together. */
  fail(contradiction: Contradiction): EspalierError;
  /** Infers a body of the node (an attribute that is a graph), and keeps the result in the node. */
  body(attribute: string, inputs: readonly BodyInput[]): BodyResult | undefined;
}

/** The facts that a body gets about one of its inputs. */
export interface BodyInput {
  readonly info?: ValueInfo | undefined;
  readonly elements?: Elements | undefined;
}

/** The inferred facts about the outputs of a body. */
export interface BodyResult {
  readonly outputs: readonly BodyInput[];
  /** Whether a dimension has no meaning outside this body. */
  isLocal(dim: Dim): boolean;
}

/** The types of a node's outputs; undefined for what cannot be known. */
export type ShapeRule = (site: Site) => readonly (ValueInfo | undefined)[];

/** The elements of a node's outputs, where they are computations of shapes. */
export type ElementRule = (
  site: Site,
  outputs: readonly (ValueInfo | undefined)[],
) => readonly (Elements | undefined)[];

/** A tensor type from whatever is known; undefined without a dtype. */
export function typeOf(dtype: DType | undefined, shape?: readonly Dim[]): ValueInfo | undefined {
  if (dtype === undefined) return undefined;
  return shape ? { dtype, shape } : { dtype };
}

/** The rank of an input that must have at least `least` axes. @throws GRAPH_SHAPE when it has fewer. */
export function shapeOfRank(site: Site, slot: number, least: number, most = Number.POSITIVE_INFINITY) {
  const shape = site.shape(slot);
  if (shape && (shape.length < least || shape.length > most)) {
    const wanted = least === most ? `${least}` : `${least}${Number.isFinite(most) ? ` to ${most}` : ' or more'}`;
    throw site.fail({ expected: `input ${slot} of rank ${wanted}`, found: `rank ${shape.length}` });
  }
  return shape;
}

/** An axis counted from the front. @throws GRAPH_SHAPE when it lies outside the rank. */
export function axisWithin(site: Site, axis: number, rank: number): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw site.fail({ expected: `an axis from ${-rank} to ${rank - 1}`, found: `axis ${axis}` });
}

/** Checks that two sizes can be the same and returns the better known one. @throws GRAPH_SHAPE when they differ. */
export function sameDim(site: Site, what: string, a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) {
    throw site.fail({ expected: `${what} of equal size`, found: `${a} and ${b}` });
  }
  return preferredDim(a, b);
}

/** Of two names of one size: the number, else a name from the model, else the shorter one. */
export function preferredDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' || a === b) return a;
  if (typeof b === 'number') return b;
  const [madeA, madeB] = [a.includes('?'), b.includes('?')];
  if (madeA !== madeB) return madeA ? b : a;
  return b.length < a.length ? b : a;
}
