import {
  type Attribute,
  type Dim,
  type Emitter,
  emitter,
  int,
  type Node,
  type Tensor,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import { loweringRefused } from '../errors.js';
import type { LoweringContext } from '../lowering.js';

type Attributes = Readonly<Record<string, Attribute>>;
type Inputs = readonly (ValueId | undefined)[];

/** Writes the standard nodes that stand for one custom node. */
export interface LoweringEmitter extends Emitter {
  readonly node: Node;
  /** Input `slot`. @throws PASS_LOWERING when it is left out. */
  input(slot: number): ValueId;
  /** Adds the node that writes output `slot` of the custom node; nothing where that output is left out. */
  finish(slot: number, op: string, of: { readonly inputs: Inputs; readonly attributes?: Attributes }): void;
  /** A scalar constant of the dtype of input 0. */
  number(value: number): ValueId;
  constant(tensor: Tensor): ValueId;
  /** The shape of a value. @throws PASS_LOWERING when not even the rank is known. */
  shape(value: ValueId): readonly Dim[];
  readonly nodes: readonly Node[];
}

/** An emitter for one node; names begin with the node's id. */
export function loweringEmitter(node: Node, { graph, draft }: LoweringContext): LoweringEmitter {
  const nodes: Node[] = [];
  const e = emitter({ ...draft, append: (...more) => void nodes.push(...more) }, { prefix: node.id });
  const dtype = (node.inputs[0] === undefined ? undefined : tensorInfo(graph, node.inputs[0])?.dtype) ?? 'float32';
  return {
    ...e,
    node,
    nodes,
    constant: (tensor) => draft.constant(`${node.id}/constant`, tensor),
    input(slot) {
      const value = node.inputs[slot];
      if (value !== undefined) return value;
      throw loweringRefused(node, { expected: `input ${slot}`, found: 'none' });
    },
    finish: (slot, op, { inputs, attributes }) => e.emitAs(node.outputs[slot], op, inputs, attributes),
    number: (value) => e.scalar(value, dtype),
    shape(value) {
      const dims = tensorInfo(graph, value)?.shape;
      if (dims) return dims;
      throw loweringRefused(node, { expected: `a known rank of "${value}"`, found: 'none' });
    },
  };
}

/** All axes but one. */
export const axesWithout = (axis: number, rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);

/** Reduces over all axes but one; the result is a vector unless `keep` is set. */
export const reduceTo = (
  e: LoweringEmitter,
  op: string,
  { value, axis, keep = false }: { readonly value: ValueId; readonly axis: number; readonly keep?: boolean },
): ValueId =>
  e.emit(op, [value, e.longs(axesWithout(axis, e.shape(e.input(0)).length))], { keepdims: int(Number(keep)) });

/** A vector as [c, 1, .., 1], so that it lines up with `axis` of a value of `rank` when broadcast. */
export const alongAxis = (
  e: LoweringEmitter,
  value: ValueId,
  { axis, rank }: { readonly axis: number; readonly rank: number },
): ValueId => {
  const trailing = rank - 1 - axis;
  return trailing === 0 ? value : e.emit('Reshape', [value, e.longs([-1, ...new Array<number>(trailing).fill(1)])]);
};
