import {
  createNode,
  domainOf,
  type Graph,
  int,
  type Node,
  type Note,
  type Outcome,
  outerReferences,
  subgraphsOf,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import type { LeftOut } from '../node-choice.js';
import { noteNodes } from '../note-nodes.js';
import { type GraphWriter, writeGraph } from '../quantized-graph.js';
import { type HalfTensor, halfTensor, largestHalf } from './half-tensor.js';

/** Ops that compute in float32, or whose float inputs have a type of their own. */
const keptOps = new Set([
  ...['Resize', 'Upsample', 'NonMaxSuppression', 'Range', 'Cast', 'CastLike', 'Constant', 'ConstantOfShape', 'EyeLike'],
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Bernoulli', 'Multinomial'],
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'QLinearConv', 'QLinearMatMul'],
  ...['CumSum', 'ReduceSumSquare', 'ReduceLogSumExp', 'STFT', 'DFT', 'MelWeightMatrix', 'RoiAlign', 'MaxRoiPool'],
]);

/** Custom ops that are known to compute in float16, with their scales in it too. */
const halfCustomOps = new Set(['com.microsoft::MatMulNBits', 'com.microsoft::GatherBlockQuantized']);

interface Choice {
  readonly keep: readonly string[];
  readonly leftOut: LeftOut;
}

interface State {
  readonly graph: Graph;
  readonly writer: GraphWriter;
  /** The type each float value is computed in. */
  readonly native: Map<ValueId, 'float16' | 'float32'>;
  /** The other form of a value, once somebody read it. */
  readonly other: Map<ValueId, ValueId>;
  readonly halves: Map<ValueId, HalfTensor | undefined>;
  readonly replaced: Set<ValueId>;
}

/**
 * Computes in float16 wherever an op allows it: float32 values become float16 under their own names, constants are
 * converted, and a Cast stands where the two worlds meet. Inputs and outputs of the model stay float32.
 * Where the runtime has no float16 kernel it computes in float32 with casts of its own.
 */
export function computeInHalf(graph: Graph, choice: Choice): Outcome {
  const writer = writeGraph(graph);
  const state: State = { graph, writer, native: new Map(), other: new Map(), halves: new Map(), replaced: new Set() };
  for (const value of graph.inputs) if (isFull(graph, value)) state.native.set(value, 'float32');
  const reasons = new Map<string, string>();
  for (const node of graph.nodes) {
    const reason = keepReason(state, node, choice);
    if (reason !== undefined) reasons.set(node.id, reason);
    if (reason === undefined) writeHalf(state, node);
    else writeFull(state, node);
  }
  const notes = notesOf(state, reasons);
  const changed = graph.nodes.some((node) => !reasons.has(node.id));
  return { graph: changed ? writer.finish(state.replaced) : graph, notes };
}

const isFull = (graph: Graph, value: ValueId): boolean => tensorInfo(graph, value)?.dtype === 'float32';

function keepReason(state: State, node: Node, { keep, leftOut }: Choice): string | undefined {
  const { graph } = state;
  const left = leftOut(node.id, node.op);
  if (left !== undefined) return left;
  if (keep.includes(node.op)) return 'the options keep it in float32';
  if (domainOf(node.op) !== '' && !halfCustomOps.has(node.op)) return 'a custom op is passed through';
  if (subgraphsOf(node).length > 0) return 'nodes inside subgraphs are left alone';
  if (keptOps.has(node.op)) return `${node.op} needs float32`;
  const touched = [...node.inputs, ...node.outputs].filter((value) => value !== undefined);
  const unknown = touched.find((value) => tensorInfo(graph, value) === undefined);
  if (unknown !== undefined) return `the type of "${unknown}" is unknown`;
  const full = touched.filter((value) => isFull(graph, value));
  if (full.length === 0) return 'it has no float32 values';
  const large = node.inputs.find(
    (value) => value !== undefined && isFullConstant(graph, value) && !halfOf(state, value),
  );
  return large === undefined ? undefined : `constant "${large}" has values beyond ${largestHalf}, the largest float16`;
}

const isFullConstant = (graph: Graph, value: ValueId): boolean => graph.constants.get(value)?.dtype === 'float32';

function halfOf({ graph, halves }: State, value: ValueId): HalfTensor | undefined {
  if (!halves.has(value)) halves.set(value, halfTensor(graph.constants.get(value)!));
  return halves.get(value);
}

function writeHalf(state: State, node: Node): void {
  const { graph, writer, native } = state;
  const inputs = node.inputs.map((value) => (value === undefined ? value : readAs(state, value, 'float16')));
  const restored: Node[] = [];
  const outputs = node.outputs.map((value) => {
    if (value === undefined || !isFull(graph, value)) return value;
    if (!graph.outputs.includes(value)) {
      native.set(value, 'float16');
      writer.info(value, { ...tensorInfo(graph, value), dtype: 'float16' });
      return value;
    }
    const half = writer.fresh(`${value}_float16`);
    native.set(value, 'float32');
    state.other.set(value, half);
    restored.push(castNode(writer, { from: half, to: value, dtype: 'float32' }));
    return half;
  });
  writer.emit({ ...node, inputs, outputs }, ...restored);
}

function writeFull(state: State, node: Node): void {
  const { graph, writer, native } = state;
  const to = new Map<ValueId, ValueId>();
  for (const value of [...node.inputs, ...outerReferences(node)]) {
    if (value !== undefined && native.has(value)) to.set(value, readAs(state, value, 'float32'));
  }
  writer.emitRedirected(node, to);
  for (const value of node.outputs) if (value !== undefined && isFull(graph, value)) native.set(value, 'float32');
}

/** The name under which a value has the wanted type, casting it once where it has the other. */
function readAs(state: State, value: ValueId, wanted: 'float16' | 'float32'): ValueId {
  const { graph, writer, native, other, replaced } = state;
  if (isFullConstant(graph, value)) {
    if (wanted === 'float32') return value;
    let name = other.get(value);
    if (name === undefined) {
      name = writer.constant(`${value}_float16`, halfOf(state, value)!.tensor); // keepReason asked for it before
      other.set(value, name);
      replaced.add(value);
    }
    return name;
  }
  const own = native.get(value);
  if (own === undefined || own === wanted) return value;
  let name = other.get(value);
  if (name === undefined) {
    name = writer.fresh(`${value}_${wanted}`);
    other.set(value, name);
    writer.info(name, { ...tensorInfo(graph, value), dtype: wanted });
    writer.emit(castNode(writer, { from: value, to: name, dtype: wanted }));
  }
  return name;
}

interface CastParts {
  readonly from: ValueId;
  readonly to: ValueId;
  readonly dtype: 'float16' | 'float32';
}

const castNode = (writer: GraphWriter, { from, to, dtype }: CastParts): Node =>
  createNode({
    id: writer.fresh(`${to}_Cast`),
    op: 'Cast',
    inputs: [from],
    outputs: [to],
    attributes: { to: int(dtype === 'float16' ? 10 : 1) },
  });

function notesOf({ graph, halves }: State, reasons: ReadonlyMap<string, string>): readonly Note[] {
  return noteNodes(graph, (node) => {
    const reason = reasons.get(node.id);
    if (reason !== undefined) return { outcome: 'float', reason };
    const flushed = node.inputs.reduce((sum, value) => sum + (halves.get(value ?? '')?.flushed ?? 0), 0);
    const lost = flushed > 0 ? `; ${flushed} tiny weights became 0` : '';
    return {
      outcome: 'quantized',
      reason: `Computed in float16${lost}`,
      details: { weightBits: 16, compute: 'float16', flushed },
    };
  });
}
