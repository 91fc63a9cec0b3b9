import { type Graph, intsOf, isFloat, type Node, type Tensor, textOf, type ValueId } from '@espalier/core';
import { isRefusal, type LayerWeight, operandsOf } from '@espalier/ops';
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

/** The layers that these folds rewrite; coded and fused ones come later, from these. */
const rewritten = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/** A node as a linear map with a constant weight and a constant (or no) bias, or the reason why it is none. */
export function linearOf(graph: Graph, node: Node): Linear | string {
  if (!rewritten.has(node.op)) return `${node.op} has no weight`;
  const [data, weightName] = node.inputs;
  const weight = graph.constants.get(weightName ?? '');
  if (!weight || data === undefined || weightName === undefined || graph.constants.has(data)) {
    return 'its weight is no constant';
  }
  if (!isFloat(weight.dtype)) return `its weight is ${weight.dtype}`;
  const layer = operandsOf(graph, node);
  if (isRefusal(layer)) return layer.reason;
  const axes = layer.weights.find(({ slot }) => slot === 1);
  const conv = layer.kind === 'convolution';
  if (!axes || (!conv && weight.shape.length !== 2)) return 'its weight is no matrix';
  if (weight.shape[0]! % axes.groups !== 0) return 'its weight does not fit a convolution';
  const biasName = layer.bias === undefined ? undefined : node.inputs[layer.bias];
  if (biasName !== undefined && !graph.constants.has(biasName)) return 'its bias is no constant';
  const [output, input] = (['outputs', 'sums'] as const).map((side) => planOf(axes, side)) as [
    ChannelPlan,
    ChannelPlan,
  ]; // one each
  const channelsOf = ({ axis, groups }: ChannelPlan) => weight.shape[axis]! * groups;
  return {
    node,
    data,
    weightName,
    weight,
    channels: channelsOf(output),
    fromEnd: conv ? weight.shape.length - 2 : 0,
    rank: node.op === 'MatMul' ? rankOf(graph, data) : weight.shape.length,
    output,
    input,
    inputChannels: channelsOf(input),
    biasName,
    alpha: layer.factors.product,
    beta: layer.factors.bias,
    uneven: conv && (node.op === 'ConvTranspose' || padsZeros(node)),
  };
}

const planOf = (axes: LayerWeight, side: 'outputs' | 'sums'): ChannelPlan => ({
  axis: axes[side][0]!, // layers of these ops have one of each
  groups: axes.perGroup === side ? axes.groups : 1,
});

function rankOf(graph: Graph, value: ValueId): number | undefined {
  const info = graph.values.get(value);
  return info?.container ? undefined : info?.shape?.length;
}

function padsZeros(node: Node): boolean {
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  if (auto !== 'NOTSET') return auto !== 'VALID';
  return intsOf(node, 'pads', []).some((pad) => pad !== 0);
}
