import {
  type Attribute,
  createNode,
  type Dim,
  fromNumbers,
  int,
  longs,
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
export interface Emitter {
  readonly node: Node;
  /** Input `slot`. @throws PASS_LOWERING when it is left out. */
  input(slot: number): ValueId;
  /** Adds a node and returns its output. */
  emit(op: string, inputs: Inputs, attributes?: Attributes): ValueId;
  /** Adds a node of several outputs. */
  emitAll(op: string, inputs: Inputs, want: { readonly outputs: number; readonly attributes?: Attributes }): ValueId[];
  /** Adds the node that writes output `slot` of the custom node; nothing where that output is left out. */
  finish(slot: number, op: string, of: { readonly inputs: Inputs; readonly attributes?: Attributes }): void;
  /** A constant list of whole numbers. */
  longs(values: readonly number[]): ValueId;
  /** A scalar constant of the dtype of input 0. */
  number(value: number): ValueId;
  constant(tensor: Tensor): ValueId;
  /** The shape of a value. @throws PASS_LOWERING when not even the rank is known. */
  shape(value: ValueId): readonly Dim[];
  readonly nodes: readonly Node[];
}

/** An emitter for one node; names begin with the node's id. */
export function createEmitter(node: Node, { graph, draft }: LoweringContext): Emitter {
  const nodes: Node[] = [];
  const add = (op: string, inputs: Inputs, rest: { outputs: readonly ValueId[]; attributes?: Attributes }) =>
    void nodes.push(createNode({ id: rest.outputs[0]!, op, inputs, ...rest })); // every op has an output
  const emitAll: Emitter['emitAll'] = (op, inputs, { outputs: count, attributes = {} }) => {
    const outputs = Array.from({ length: count }, () => draft.fresh(`${node.id}/${op}`));
    add(op, inputs, { outputs, attributes });
    return outputs;
  };
  const constant = (tensor: Tensor): ValueId => {
    const name = draft.fresh(`${node.id}/constant`);
    draft.setConstant(name, tensor);
    return name;
  };
  const shape = (value: ValueId) => {
    const known = tensorInfo(graph, value)?.shape;
    if (known) return known;
    throw loweringRefused(node, { expected: `a known rank of "${value}"`, found: 'none' });
  };
  const dtype = (node.inputs[0] === undefined ? undefined : tensorInfo(graph, node.inputs[0])?.dtype) ?? 'float32';
  return {
    node,
    nodes,
    constant,
    emitAll,
    input(slot) {
      const value = node.inputs[slot];
      if (value !== undefined) return value;
      throw loweringRefused(node, { expected: `input ${slot}`, found: 'none' });
    },
    emit: (op, inputs, attributes = {}) => emitAll(op, inputs, { outputs: 1, attributes })[0]!, // one was asked for
    finish(slot, op, { inputs, attributes = {} }) {
      const output = node.outputs[slot];
      if (output !== undefined) add(op, inputs, { outputs: [output], attributes });
    },
    longs: (values) => constant(longs(values)),
    number: (value) => constant(fromNumbers(dtype, [], [value])),
    shape,
  };
}

/** All axes but one. */
export const axesWithout = (axis: number, rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);

/** Reduces over all axes but one; the result is a vector unless `keep` is set. */
export const reduceTo = (
  e: Emitter,
  op: string,
  { value, axis, keep = false }: { readonly value: ValueId; readonly axis: number; readonly keep?: boolean },
): ValueId =>
  e.emit(op, [value, e.longs(axesWithout(axis, e.shape(e.input(0)).length))], { keepdims: int(Number(keep)) });

/** A vector as [c, 1, .., 1], so that it lines up with `axis` of a value of `rank` when broadcast. */
export const alongAxis = (
  e: Emitter,
  value: ValueId,
  { axis, rank }: { readonly axis: number; readonly rank: number },
): ValueId => {
  const trailing = rank - 1 - axis;
  return trailing === 0 ? value : e.emit('Reshape', [value, e.longs([-1, ...new Array<number>(trailing).fill(1)])]);
};
