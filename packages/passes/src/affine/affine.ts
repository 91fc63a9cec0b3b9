import { type Graph, isFloat, type Node, opsetOf, sizeOf, type Tensor, toNumbers, type ValueId } from '@espalier/core';

/** y = scale * x + shift, per channel (or one pair for all), as one node computes it. */
export interface Affine {
  readonly input: ValueId;
  /** One element, or one per channel. */
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  /** The alignment of the constants with the data: along axis 1, or by broadcasting their own shape. */
  readonly layout: 'axis1' | readonly number[];
}

/** An affine node, or the reason why it is none. */
export type AffineOr = Affine | string;

const doubles = (tensor: Tensor): Float64Array =>
  tensor.dtype === 'float64' ? tensor.data : Float64Array.from(toNumbers(tensor));

/**
 * BatchNormalization in inference form: scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale
 * (Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 2), in float64.
 */
export function batchNormOf(graph: Graph, node: Node): AffineOr {
  if (isTraining(graph, node)) return 'it is in training form: its statistics come from the batch';
  const spatial = node.attributes.get('spatial');
  if (spatial?.kind === 'int' && spatial.value === 0) return 'it normalises every position by itself (spatial = 0)';
  const parameters = node.inputs.slice(1, 5).map((value) => graph.constants.get(value ?? ''));
  const [gamma, beta, mean, variance] = parameters.map((each) =>
    each && isFloat(each.dtype) ? doubles(each) : undefined,
  );
  const input = node.inputs[0];
  if (!gamma || !beta || !mean || !variance || input === undefined) return 'its parameters are not constants';
  const attribute = node.attributes.get('epsilon');
  const epsilon = attribute?.kind === 'float' ? attribute.value : 1e-5;
  const scale = gamma.map((each, c) => each / Math.sqrt(variance[c]! + epsilon));
  const shift = beta.map((each, c) => each - mean[c]! * scale[c]!);
  if (!allFinite(scale) || !allFinite(shift)) return 'its variance or another parameter is not usable';
  return { input, scale, shift, layout: 'axis1' };
}

// Opset 14 says it by an attribute, 7 to 13 by more outputs, 6 and before by `is_test`.
function isTraining(graph: Graph, node: Node): boolean {
  if (node.outputs.slice(1).some((value) => value !== undefined)) return true;
  const flag = (name: string) => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'int' ? attribute.value : 0;
  };
  if (flag('training_mode') === 1) return true;
  const opset = opsetOf(graph);
  return opset > 0 && opset < 7 && flag('is_test') === 0;
}

/** Mul, Div, Add and Sub with the constant c, as an affine map: [scale, shift] of the other operand. */
const arithmetic = new Map<string, (c: number, first: boolean) => readonly [number, number] | undefined>([
  ['Mul', (c) => [c, 0]],
  ['Div', (c, first) => (first ? undefined : [1 / c, 0])],
  ['Add', (c) => [1, c]],
  ['Sub', (c, first) => (first ? [-1, c] : [1, -c])],
]);

/** Elementwise arithmetic with one small constant operand as an affine map; undefined when it is none. */
export function arithmeticOf(graph: Graph, node: Node): Affine | undefined {
  const rule = arithmetic.get(node.op);
  const [a, b] = node.inputs;
  if (!rule || a === undefined || b === undefined) return undefined;
  const first = graph.constants.has(a);
  const constant = graph.constants.get(first ? a : b);
  const other = first ? b : a;
  // One value, or values along one axis only: anything else is no per-channel constant.
  if (!constant || graph.constants.has(other) || !isFloat(constant.dtype)) return undefined;
  if (constant.shape.filter((dim) => dim !== 1).length > 1 || sizeOf(constant.shape) === 0) return undefined;
  const pairs = Array.from(doubles(constant), (c) => rule(c, first));
  if (pairs.includes(undefined)) return undefined;
  const scale = Float64Array.from(pairs, (pair) => pair![0]); // none is undefined, as just checked
  const shift = Float64Array.from(pairs, (pair) => pair![1]);
  return allFinite(scale) && allFinite(shift) ? { input: other, scale, shift, layout: constant.shape } : undefined;
}

const allFinite = (values: Float64Array): boolean => values.every((each) => Number.isFinite(each));

/**
 * The map's two vectors, one entry per channel of data whose channels lie on `axis` of `rank` (counted from the end
 * as `fromEnd` where the rank is not known). Undefined when the constants do not line up with that axis.
 */
export function alongChannels(
  { scale, shift, layout }: Affine,
  { channels, fromEnd, rank }: { channels: number; fromEnd: number; rank: number | undefined },
): { scale: Float64Array; shift: Float64Array } | undefined {
  if (layout === 'axis1') {
    return rank !== undefined && rank - 1 - fromEnd === 1 && scale.length === channels ? { scale, shift } : undefined;
  }
  const extra = rank === undefined ? layout.length > 1 : layout.length > rank;
  if (extra) return undefined; // the constant's rank would be the result's
  const aligned = layout.every((dim, i) => dim === 1 || (layout.length - 1 - i === fromEnd && dim === channels));
  if (!aligned) return undefined;
  const spread = (values: Float64Array) => (values.length === 1 ? new Float64Array(channels).fill(values[0]!) : values);
  return { scale: spread(scale), shift: spread(shift) };
}
