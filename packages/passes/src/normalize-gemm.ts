import {
  createNode,
  type Draft,
  definePlugin,
  editGraph,
  float,
  floatOf,
  fromNumbers,
  type Graph,
  int,
  intOf,
  ints,
  isFloat,
  type Node,
  opsetOf,
  reshaped,
  sizeOf,
  type Tensor,
  tensorInfo,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { broadcastTo, strided, stridesOf } from '@espalier/ops';
import { onlyReader } from './affine/reach.js';
import { scaleWeight } from './affine/scale-weight.js';

/**
 * One form for every fully connected layer with a constant weight.
 *
 * - Data of rank 2: `Gemm(x, W, b)` with W [out, in] (transB = 1), alpha = beta = 1, transA = 0 and b [out]. Output
 *   channels are axis 0, as in Conv, for pruning and for per-channel quantization alike; it is what most exporters
 *   write, so that weights are seldom copied.
 * - Any other rank: `MatMul(x, W)`, followed by `Add(_, b)` where there is a bias.
 *
 * Factors are multiplied into weight and bias (rounded once). A weight or bias with other readers is never copied:
 * such a layer keeps its orientation or its form, because sharing is worth more than the form.
 */
export function normalizeGemm(graph: Graph): Graph {
  const work: Work = { graph, draft: editGraph(graph), outputs: new Set(graph.outputs) };
  for (const node of graph.nodes) {
    if (node.op === 'Gemm') normalizeOne(work, node);
    if (node.op === 'MatMul') gemmFrom(work, node);
  }
  return work.draft.finish();
}

interface Work {
  readonly graph: Graph;
  readonly draft: Draft;
  readonly outputs: ReadonlySet<ValueId>;
}

const isOwn = ({ graph, outputs }: Work, value: ValueId): boolean =>
  usesOf(graph, value).length === 1 && !outputs.has(value);

function store({ graph, draft }: Work, name: ValueId, tensor: Tensor): void {
  draft.setConstant(name, tensor);
  if (graph.values.has(name)) draft.setInfo(name, undefined); // it may tell the old shape
}

const transposedMatrix = (matrix: Tensor): Tensor =>
  strided(matrix, { shape: matrix.shape.toReversed(), strides: stridesOf(matrix.shape).toReversed() });

/** A constant float matrix, and nothing else. */
function floatMatrix({ graph }: Work, value: ValueId | undefined): Tensor | undefined {
  const weight = value === undefined ? undefined : graph.constants.get(value);
  return weight?.shape.length === 2 && isFloat(weight.dtype) ? weight : undefined;
}

const times = (tensor: Tensor, factor: number): Tensor | undefined =>
  tensor.shape.length === 0
    ? fromNumbers(tensor.dtype, [], [Number(tensor.data[0]) * factor])
    : scaleWeight(tensor, new Float64Array(tensor.shape[0]!).fill(factor), { axis: 0, groups: 1 });

function normalizeOne(work: Work, node: Node): void {
  const { graph, draft } = work;
  const [data, name, biasName] = node.inputs;
  const weight = floatMatrix(work, name);
  if (!weight || data === undefined || name === undefined || graph.constants.has(data)) return;
  const alpha = floatOf(node, 'alpha', 1);
  const upright = intOf(node, 'transB', 0) === 1;
  const own = isOwn(work, name);
  if (alpha !== 1 && !own) return;
  const bias = plainBias(work, { node, biasName, channels: weight.shape[upright ? 0 : 1]! });
  if (bias === 'foreign') return;
  const turned = upright || !own ? weight : transposedMatrix(weight);
  const scaled = alpha === 1 ? turned : times(turned, alpha);
  if (!scaled) return;
  const wanted = createGemm(node, { upright: upright || own, inputs: [data, name, biasName] });
  const flipped = intOf(node, 'transA', 0) === 1;
  if (scaled === weight && !bias && !flipped && sameAttributes(node, wanted)) return;
  if (scaled !== weight) store(work, name, scaled);
  if (bias && biasName !== undefined) store(work, biasName, bias);
  draft.replace(node.id, ...(flipped ? withTranspose(draft, wanted) : [wanted]));
}

function withTranspose(draft: Draft, node: Node): readonly Node[] {
  const turned = draft.fresh(`${node.id}_data`);
  const attributes = { perm: ints([1, 0]) };
  return [
    createNode({ id: turned, op: 'Transpose', inputs: [node.inputs[0]], outputs: [turned], attributes }),
    { ...node, inputs: [turned, ...node.inputs.slice(1)] },
  ];
}

const createGemm = (node: Node, { upright, inputs }: { upright: boolean; inputs: Node['inputs'] }): Node => ({
  ...node,
  op: 'Gemm',
  inputs: inputs.at(-1) === undefined ? inputs.slice(0, 2) : inputs,
  attributes: new Map([
    ['alpha', float(1)],
    ['beta', float(1)],
    ['transB', int(upright ? 1 : 0)],
  ]),
});

function sameAttributes(node: Node, wanted: Node): boolean {
  return floatOf(node, 'beta', 1) === 1 && intOf(node, 'transB', 0) === intOf(wanted, 'transB', 0);
}

/** The bias as [out] with beta in it; undefined when it is that already, `foreign` when it cannot be. */
function plainBias(
  work: Work,
  { node, biasName, channels }: { node: Node; biasName: ValueId | undefined; channels: number },
): Tensor | 'foreign' | undefined {
  const beta = floatOf(node, 'beta', 1);
  if (biasName === undefined) return undefined;
  const bias = work.graph.constants.get(biasName);
  if (bias?.shape.length === 1 && bias.shape[0] === channels && beta === 1) return undefined;
  if (!bias || !isOwn(work, biasName)) return beta === 1 ? undefined : 'foreign';
  const vector = asVector(bias, channels) ?? bias;
  const scaled = beta === 1 ? vector : times(vector, beta);
  return scaled === bias ? undefined : (scaled ?? 'foreign');
}

/** [out], [1, out] or a single number as [out]. */
function asVector(bias: Tensor, channels: number): Tensor | undefined {
  if (!isFloat(bias.dtype) || !bias.shape.slice(0, -1).every((dim) => dim === 1)) return undefined;
  if (sizeOf(bias.shape) === channels) return reshaped(bias, [channels]);
  return sizeOf(bias.shape) === 1 ? broadcastTo(reshaped(bias, [1]), [channels]) : undefined;
}

/** MatMul, with the Add after it where there is one, as a Gemm. */
function gemmFrom(work: Work, node: Node): void {
  const { graph, draft, outputs } = work;
  const [data, name] = node.inputs;
  const weight = floatMatrix(work, name);
  const output = node.outputs[0];
  if (!weight || data === undefined || name === undefined || output === undefined || graph.constants.has(data)) return;
  if (tensorInfo(graph, data)?.shape?.length !== 2) return;
  const add = onlyReader(graph, output, outputs);
  const bias = add?.op === 'Add' ? biasOf(work, { add, product: output, channels: weight.shape[1]! }) : undefined;
  if (!bias && opsetOf(graph) < 11) return; // Gemm needs its bias there
  const own = isOwn(work, name);
  if (own) store(work, name, transposedMatrix(weight));
  const last = bias && add ? add : node;
  if (bias?.tensor) store(work, bias.name, bias.tensor);
  const gemm = createGemm(node, { upright: own, inputs: [data, name, bias?.name] });
  draft.replace(node.id, { ...gemm, outputs: last.outputs });
  if (last !== node) draft.replace(last.id);
}

/** The constant that an Add puts on every row; `tensor` is set where it has to change its shape. */
function biasOf(
  work: Work,
  { add, product, channels }: { add: Node; product: ValueId; channels: number },
): { name: ValueId; tensor: Tensor | undefined } | undefined {
  const name = add.inputs[0] === product ? add.inputs[1] : add.inputs[0];
  const bias = name === undefined ? undefined : work.graph.constants.get(name);
  const vector = bias && asVector(bias, channels);
  if (!vector || name === undefined) return undefined;
  if (bias.shape.length === 1 && bias.shape[0] === channels) return { name, tensor: undefined };
  const changes = isOwn(work, name);
  return { name: changes ? name : work.draft.fresh(`${add.id}_bias`), tensor: vector };
}

/** Normalises fully connected layers. */
export const normalizeGemmPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'normalize-gemm',
  about: 'Writes fully connected layers in one form: Gemm with an [out, in] weight, or MatMul and Add beyond rank 2.',
  options: {},
  create: () => normalizeGemm,
});
