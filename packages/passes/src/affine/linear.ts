import {
  floatOf,
  type Graph,
  intOf,
  intsOf,
  isFloat,
  type Node,
  type Tensor,
  textOf,
  type ValueId,
} from '@espalier/core';
import type { ChannelPlan } from './scale-weight.js';

/** A node that multiplies its data by a constant weight and adds a bias: where its channels lie. */
export interface Linear {
  readonly node: Node;
  readonly data: ValueId;
  readonly weightName: ValueId;
  readonly weight: Tensor;
  /** Output channels, their axis in the output counted from the end, and the output's rank where known. */
  readonly channels: number;
  readonly fromEnd: number;
  readonly rank: number | undefined;
  readonly output: ChannelPlan;
  readonly input: ChannelPlan;
  readonly inputChannels: number;
  readonly biasName: ValueId | undefined;
  /** Factor of the product and of the bias (Gemm's alpha and beta). */
  readonly alpha: number;
  readonly beta: number;
  /** Whether some outputs see fewer inputs than others, as beside zero padding. */
  readonly uneven: boolean;
}

type Reader = (
  graph: Graph,
  node: Node,
  weight: Tensor,
) => Omit<Linear, 'node' | 'data' | 'weightName' | 'weight'> | string;

const plain = { alpha: 1, beta: 1 };

const conv: Reader = (_, node, weight) => {
  const group = intOf(node, 'group', 1);
  const [outputs, perGroup] = weight.shape;
  if (weight.shape.length < 3 || group < 1 || outputs! % group !== 0) return 'its weight does not fit a convolution';
  return {
    ...plain,
    channels: outputs!,
    fromEnd: weight.shape.length - 2,
    rank: weight.shape.length,
    output: { axis: 0, groups: 1 },
    input: { axis: 1, groups: group },
    inputChannels: perGroup! * group,
    biasName: node.inputs[2],
    uneven: padsZeros(node),
  };
};

const convTranspose: Reader = (_, node, weight) => {
  const group = intOf(node, 'group', 1);
  const [inputs, perGroup] = weight.shape;
  if (weight.shape.length < 3 || group < 1 || inputs! % group !== 0) return 'its weight does not fit a convolution';
  return {
    ...plain,
    channels: perGroup! * group,
    fromEnd: weight.shape.length - 2,
    rank: weight.shape.length,
    output: { axis: 1, groups: group },
    input: { axis: 0, groups: 1 },
    inputChannels: inputs!,
    biasName: node.inputs[2],
    uneven: true,
  };
};

function padsZeros(node: Node): boolean {
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  if (auto !== 'NOTSET') return auto !== 'VALID';
  return intsOf(node, 'pads', []).some((pad) => pad !== 0);
}

const gemm: Reader = (_, node, weight) => {
  if (weight.shape.length !== 2) return 'its weight is no matrix';
  const transposed = intOf(node, 'transB', 0) === 1;
  const [rows, columns] = weight.shape as readonly [number, number]; // rank 2, as just checked
  return {
    channels: transposed ? rows : columns,
    fromEnd: 0,
    rank: 2,
    output: { axis: transposed ? 0 : 1, groups: 1 },
    input: { axis: transposed ? 1 : 0, groups: 1 },
    inputChannels: transposed ? columns : rows,
    biasName: node.inputs[2],
    alpha: floatOf(node, 'alpha', 1),
    beta: floatOf(node, 'beta', 1),
    uneven: false,
  };
};

const matMul: Reader = (graph, node, weight) => {
  if (weight.shape.length !== 2) return 'its weight is no matrix';
  const [rows, columns] = weight.shape as readonly [number, number]; // rank 2, as just checked
  const info = graph.values.get(node.inputs[0] ?? '');
  return {
    ...plain,
    channels: columns,
    fromEnd: 0,
    rank: info?.container ? undefined : info?.shape?.length,
    output: { axis: 1, groups: 1 },
    input: { axis: 0, groups: 1 },
    inputChannels: rows,
    biasName: undefined,
    uneven: false,
  };
};

const readers = { Conv: conv, ConvTranspose: convTranspose, Gemm: gemm, MatMul: matMul } satisfies Record<
  string,
  Reader
>;
const byOp: ReadonlyMap<string, Reader> = new Map(Object.entries(readers));

/** Whether an op multiplies by a weight. */
export const isLinear = (op: string): boolean => byOp.has(op);

/** A node as a linear map with a constant weight and a constant (or no) bias, or the reason why it is none. */
export function linearOf(graph: Graph, node: Node): Linear | string {
  const read = byOp.get(node.op);
  const [data, weightName] = node.inputs;
  if (!read) return `${node.op} has no weight`;
  const weight = graph.constants.get(weightName ?? '');
  if (!weight || data === undefined || weightName === undefined || graph.constants.has(data)) {
    return 'its weight is no constant';
  }
  if (!isFloat(weight.dtype)) return `its weight is ${weight.dtype}`;
  const facts = read(graph, node, weight);
  if (typeof facts === 'string') return facts;
  if (facts.biasName !== undefined && !graph.constants.has(facts.biasName)) return 'its bias is no constant';
  return { node, data, weightName, weight, ...facts };
}
