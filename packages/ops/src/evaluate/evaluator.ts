import { bytesFor, type DType, type Node, sizeOf, type Tensor } from '@espalier/core';

/** One node to be computed on the host, with the tensors of its inputs. */
export interface Call {
  readonly node: Node;
  readonly inputs: readonly (Tensor | undefined)[];
  /** Version of the default ONNX domain. */
  readonly opset: number;
  /** The most bytes that the outputs may take together. */
  readonly maxBytes: number;
}

/**
 * Computes a node's outputs, one tensor per output slot. `undefined` is the conservative answer: a dtype, a form or a
 * size that is not computed here, or inputs that the op does not accept; the node then stays in the graph.
 */
export type Evaluator = (call: Call) => readonly Tensor[] | undefined;

/** Whether a tensor of this type stays within the call's room. Guards every allocation whose size inputs decide. */
export const fits = (call: Call, dtype: DType, shape: readonly number[]): boolean =>
  shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) && bytesFor(dtype, sizeOf(shape)) <= call.maxBytes;

/** An axis counted from the front; undefined when it is outside the rank. */
export function axisWithin(axis: number, rank: number): number | undefined {
  const front = axis < 0 ? axis + rank : axis;
  return Number.isInteger(front) && front >= 0 && front < rank ? front : undefined;
}

/** Axes counted from the front, ascending and without repeats; undefined when one is outside the rank or repeated. */
export function axesWithin(axes: readonly number[], rank: number): readonly number[] | undefined {
  const front = axes.map((axis) => axisWithin(axis, rank));
  if (front.some((axis) => axis === undefined) || new Set(front).size !== front.length) return undefined;
  return (front as number[]).sort((a, b) => a - b); // undefined was ruled out just above
}
