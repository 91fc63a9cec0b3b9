import {
  createNode,
  type Draft,
  editGraph,
  float,
  fromNumbers,
  type Graph,
  type Node,
  type Tensor,
  toFloats,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { type AffineOr, alongChannels, arithmeticOf, batchNormOf } from './affine.js';
import { biasVector } from './bias.js';
import { type Linear, linearOf } from './linear.js';
import { makerOf } from './reach.js';
import { scaleWeight } from './scale-weight.js';

/** A linear node with everything after it that was taken into it. */
interface Fold {
  readonly linear: Linear;
  /** The Add that carries a MatMul's bias. */
  readonly add: Node | undefined;
  readonly bias: Float64Array;
  readonly hadBias: boolean;
  /** Of the outputs, composed in float64 over all affine nodes. */
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  /** The last node taken in; its output is the fold's. */
  readonly last: Node;
  readonly removed: readonly Node[];
}

/** The fold that a node continues or begins, or the reason why there is none. */
type Step = { readonly fold: Fold; readonly before: ValueId | undefined } | string;

/**
 * Takes affine nodes into the linear node before them: W' = scale W per output channel, b' = scale b + shift. All
 * that follow one another are composed in float64, and the weight is rounded once.
 */
export function foldBack(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const folds = new Map<ValueId, Fold>();
  for (const node of graph.nodes) {
    const step = stepOf(graph, node, { folds, outputs });
    if (step === undefined || typeof step === 'string') continue;
    if (step.before !== undefined) folds.delete(step.before);
    folds.set(node.outputs[0]!, step.fold);
  }
  const draft = editGraph(graph);
  for (const fold of folds.values()) apply(draft, graph, fold);
  return draft.finish();
}

/** Why a batch norm cannot go into the node before it; undefined when it can. */
export function refusalBack(graph: Graph, node: Node): string | undefined {
  const step = stepOf(graph, node, { folds: new Map(), outputs: new Set(graph.outputs) });
  return typeof step === 'string' ? step : undefined;
}

function stepOf(
  graph: Graph,
  node: Node,
  { folds, outputs }: { folds: ReadonlyMap<ValueId, Fold>; outputs: ReadonlySet<ValueId> },
): Step | undefined {
  if (node.outputs[0] === undefined) return undefined;
  const affine: AffineOr | undefined =
    node.op === 'BatchNormalization' ? batchNormOf(graph, node) : arithmeticOf(graph, node);
  if (affine === undefined || typeof affine === 'string') return affine;
  const maker = makerOf(graph, affine.input, outputs);
  if (!maker) return 'its input is also read elsewhere, returned by the graph, or no node makes it';
  const before = maker.node.outputs[0];
  const fold = (before !== undefined && folds.get(before)) || beginFold(graph, maker.node, outputs);
  if (typeof fold === 'string') return `the ${maker.node.op} before it cannot take it in: ${fold}`;
  const lined = alongChannels(affine, fold.linear);
  if (!lined) return `its channels are not those of the ${fold.linear.node.op} before it`;
  if (node.op !== 'BatchNormalization' && isBiasOfMatMul(fold, lined.scale)) return undefined;
  const extended: Fold = {
    ...fold,
    scale: fold.scale.map((each, c) => each * lined.scale[c]!),
    shift: fold.shift.map((each, c) => each * lined.scale[c]! + lined.shift[c]!),
    last: node,
    removed: [...fold.removed, ...maker.through, node],
  };
  return { fold: extended, before };
}

// MatMul + Add is the way to write a bias there: nothing is gained by taking such an Add in.
const isBiasOfMatMul = ({ linear, add }: Fold, scale: Float64Array): boolean =>
  linear.node.op === 'MatMul' && !add && scale.every((each) => each === 1);

function beginFold(graph: Graph, node: Node, outputs: ReadonlySet<ValueId>): Fold | string {
  const add = node.op === 'Add' ? node : undefined;
  const maker = add ? matMulBefore(graph, add, outputs) : { node, bias: undefined };
  if (!maker) return 'it adds no bias to a matrix product';
  const linear = linearOf(graph, maker.node);
  if (typeof linear === 'string') return linear;
  const bias = maker.bias ?? biasVector(graph, linear, linear.biasName);
  if (!bias) return 'its bias is not one number per channel';
  const channels = linear.channels;
  return {
    linear,
    add,
    bias,
    hadBias: add !== undefined || linear.biasName !== undefined,
    scale: new Float64Array(channels).fill(1),
    shift: new Float64Array(channels),
    last: node,
    removed: [],
  };
}

function matMulBefore(graph: Graph, add: Node, outputs: ReadonlySet<ValueId>) {
  const affine = arithmeticOf(graph, add);
  const maker = affine && makerOf(graph, affine.input, outputs);
  const linear = maker?.node.op === 'MatMul' && maker.through.length === 0 ? linearOf(graph, maker.node) : undefined;
  if (!affine || !linear || typeof linear === 'string') return undefined;
  const lined = alongChannels(affine, linear);
  return lined && { node: linear.node, bias: lined.shift };
}

function apply(draft: Draft, graph: Graph, fold: Fold): void {
  const { linear, scale, shift, bias } = fold;
  const weight = scaleWeight(linear.weight, scale, linear.output);
  const sums = bias.map((each, c) => each * scale[c]! + shift[c]!);
  const vector = fromNumbers(linear.weight.dtype, [linear.channels], sums);
  if (!weight || !toFloats(vector).every(Number.isFinite)) return; // beyond the dtype's range: leave all as it was
  for (const each of fold.removed) draft.replace(each.id);
  const needed = fold.hadBias || sums.some((each) => each !== 0);
  const weightName = placeWeight(draft, graph, { linear, weight });
  if (linear.node.op === 'MatMul') applyToMatMul(draft, { fold, weightName, bias: needed ? vector : undefined });
  else {
    const name = needed ? placeBias(draft, graph, { linear, vector }) : undefined;
    draft.replace(linear.node.id, {
      ...withBeta(linear.node),
      inputs: [linear.data, weightName, ...(name === undefined ? [] : [name])],
      outputs: [fold.last.outputs[0]],
    });
  }
}

/** The bias now holds beta already. */
export function withBeta(node: Node): Node {
  if (!node.attributes.has('beta')) return node;
  return { ...node, attributes: new Map(node.attributes).set('beta', float(1)) };
}

function applyToMatMul(
  draft: Draft,
  { fold, weightName, bias }: { fold: Fold; weightName: ValueId; bias: Tensor | undefined },
): void {
  const { node, data } = fold.linear;
  const output = fold.last.outputs[0]!; // folds are kept under their output
  const product = bias ? (fold.add ? node.outputs[0]! : draft.fresh(`${output}_product`)) : output;
  const matMul = { ...node, inputs: [data, weightName], outputs: [product] };
  draft.replace(node.id, matMul);
  if (fold.add) draft.replace(fold.add.id);
  if (!bias) return;
  const name = draft.constant(`${node.id}_bias`, bias);
  draft.replace(
    node.id,
    matMul,
    createNode({
      id: fold.add?.id ?? draft.fresh(`${node.id}_add`),
      op: 'Add',
      inputs: [product, name],
      outputs: [output],
    }),
  );
}

/** Stores a changed weight: under its own name when nobody else reads it, as a copy for this node otherwise. */
export function placeWeight(
  draft: Draft,
  graph: Graph,
  { linear, weight }: { readonly linear: Linear; readonly weight: Tensor },
): ValueId {
  if (weight === linear.weight) return linear.weightName;
  return place(draft, graph, { name: linear.weightName, tensor: weight, wish: linear.weightName });
}

/** Stores a bias likewise. */
export function placeBias(
  draft: Draft,
  graph: Graph,
  { linear, vector }: { readonly linear: Linear; readonly vector: Tensor },
): ValueId {
  const wish = linear.biasName ?? `${linear.node.id}_bias`;
  return place(draft, graph, { name: linear.biasName, tensor: vector, wish });
}

function place(
  draft: Draft,
  graph: Graph,
  { name, tensor, wish }: { readonly name: ValueId | undefined; readonly tensor: Tensor; readonly wish: string },
): ValueId {
  const own = name !== undefined && usesOf(graph, name).length === 1 && !graph.outputs.includes(name);
  const target = own ? name : draft.fresh(wish);
  draft.setConstant(target, tensor);
  if (graph.values.has(target)) draft.setInfo(target, undefined); // it may tell the old shape
  return target;
}
