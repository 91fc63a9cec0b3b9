import {
  createNode,
  type Draft,
  editGraph,
  fromNumbers,
  type Graph,
  type Node,
  type Tensor,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { batchNormOf } from './affine.js';
import { biasVector } from './bias.js';
import { placeBias, placeWeight, withBeta } from './fold-back.js';
import { type Linear, linearOf } from './linear.js';
import { type Reached, readerOf } from './reach.js';
import { scaleWeight, shiftThrough } from './scale-weight.js';

interface Fold {
  readonly input: ValueId;
  readonly reader: Reached;
  readonly linear: Linear;
  readonly weight: Tensor;
  readonly bias: Float64Array;
  readonly hadBias: boolean;
}

/**
 * Takes batch norms into the linear node after them: W' = W scale per input channel, b' = b + W shift. Zero padding
 * adds zeros after the batch norm, so a shift cannot pass a padded convolution, nor a ConvTranspose, whose border
 * outputs see fewer inputs; a zero shift can.
 */
export function foldAhead(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const busy = new Set<string>();
  const draft = editGraph(graph);
  for (const node of graph.nodes) {
    if (node.op !== 'BatchNormalization') continue;
    const fold = foldOf(graph, node, outputs);
    if (typeof fold === 'string' || busy.has(node.id) || busy.has(fold.linear.node.id)) continue;
    busy.add(fold.linear.node.id);
    apply(draft, graph, { node, fold });
  }
  return draft.finish();
}

/** Why a batch norm cannot go into the node after it; undefined when it can. */
export function refusalAhead(graph: Graph, node: Node): string | undefined {
  const fold = foldOf(graph, node, new Set(graph.outputs));
  return typeof fold === 'string' ? fold : undefined;
}

function foldOf(graph: Graph, node: Node, outputs: ReadonlySet<ValueId>): Fold | string {
  const affine = batchNormOf(graph, node);
  if (typeof affine === 'string') return affine;
  const output = node.outputs[0];
  const reader = output === undefined ? undefined : readerOf(graph, output, outputs);
  if (!reader) return 'its output is read by several nodes, by none, or returned by the graph';
  const linear = linearOf(graph, reader.node);
  const name = `the ${reader.node.op} after it cannot take it in`;
  if (typeof linear === 'string') return `${name}: ${linear}`;
  const inputs = [output, ...reader.through.map((each) => each.outputs[0])];
  const { scale, shift } = affine;
  // Axis 1 of the data must be the axis that the weight sums over.
  const fitsAxis = linear.rank !== undefined && (linear.node.op !== 'MatMul' || linear.rank === 2);
  if (!inputs.includes(linear.data) || scale.length !== linear.inputChannels || !fitsAxis || isTransposed(linear)) {
    return `${name}: its channels are not those that the ${reader.node.op} sums over`;
  }
  if (linear.uneven && shift.some((each) => each !== 0)) return `${name}: padding would have to hold the shift`;
  const weight = scaleWeight(linear.weight, scale, linear.input);
  const own = biasVector(graph, linear, linear.biasName);
  if (!weight || !own) return `${name}: its bias is not one number per channel, or its weights would overflow`;
  const through = shiftThrough(linear.weight, shift, {
    outputs: linear.channels,
    output: linear.output,
    input: linear.input,
  });
  const bias = own.map((each, c) => each + linear.alpha * through[c]!);
  return { input: affine.input, reader, linear, weight, bias, hadBias: linear.biasName !== undefined };
}

function isTransposed({ node }: Linear): boolean {
  const flag = node.attributes.get('transA');
  return flag?.kind === 'int' && flag.value === 1;
}

function apply(draft: Draft, graph: Graph, { node, fold }: { readonly node: Node; readonly fold: Fold }): void {
  const { linear, reader, bias } = fold;
  const vector = fromNumbers(linear.weight.dtype, [linear.channels], bias);
  if (!toFloats(vector).every(Number.isFinite)) return; // beyond the dtype's range: leave all as it was
  for (const each of [node, ...reader.through]) draft.replace(each.id);
  const weightName = placeWeight(draft, graph, { linear, weight: fold.weight });
  const needed = fold.hadBias || bias.some((each) => each !== 0);
  const target = linear.node;
  if (target.op !== 'MatMul' || !needed) {
    const name = needed ? [placeBias(draft, graph, { linear, vector })] : [];
    draft.replace(target.id, { ...withBeta(target), inputs: [fold.input, weightName, ...name] });
    return;
  }
  const output = target.outputs[0]!; // its reader was found, so it has an output
  const product = draft.fresh(`${output}_product`);
  const name = draft.constant(`${target.id}_bias`, vector);
  draft.replace(
    target.id,
    { ...target, inputs: [fold.input, weightName], outputs: [product] },
    createNode({ id: draft.fresh(`${target.id}_add`), op: 'Add', inputs: [product, name], outputs: [output] }),
  );
}
