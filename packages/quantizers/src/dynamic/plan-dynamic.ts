import type { AxisRules, Graph, Node } from '@espalier/core';
import { matrixObstacle } from '../matrix-weights.js';
import { type Fate, float } from '../node-by-node.js';
import { activationObstacle } from '../node-obstacles.js';
import type { Verdict } from '../note-nodes.js';
import { hasStorableWeights } from '../stored-weights.js';
import { rowsObstacle } from '../write-rows.js';
import { byChannel, type DynamicOp, type DynamicSettings, runsDynamic } from './dynamic-settings.js';
import { lstmObstacle } from './write-lstm.js';

/** The form a node is written in: integers, or float with stored integers. */
export type DynamicForm = 'matmul' | 'conv' | 'gather' | 'lstm' | 'stored';

type DynamicFate = Fate<DynamicForm>;
/** The options, and how the axes of custom ops relate. */
type Facts = DynamicSettings & { readonly rules: AxisRules };
type Rule = (graph: Graph, node: Node, settings: Facts) => DynamicFate;

/** Decides each node by itself: dynamic quantization of one never depends on another. */
export function fateOf(graph: Graph, node: Node, settings: Facts): DynamicFate {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return float(left);
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (rule) return rule(graph, node, settings);
  return settings.rules.has(node.op)
    ? storedOr(graph, node, { settings, reason: 'it is a custom op' })
    : float('it has no weights to quantize');
}

const without = ({ target }: DynamicSettings, op: string) => `${target.name} has no integer kernel for ${op}`;

const matmul: Rule = (graph, node, settings) => {
  const obstacle = matrixObstacle(graph, node);
  if (obstacle !== undefined) return float(obstacle);
  return runsDynamic(settings, 'MatMulInteger')
    ? integers('matmul', settings, 'MatMulInteger')
    : storedOr(graph, node, { settings, reason: without(settings, node.op) });
};

const unrolled: Rule = (graph, node, settings) =>
  settings.recurrent
    ? storedOr(graph, node, { settings, reason: without(settings, node.op) })
    : float('the options leave recurrent layers float');

const rules: Readonly<Record<string, Rule>> = {
  MatMul: matmul,
  Gemm: matmul,
  Conv(graph, node, settings) {
    if (settings.convs === 'float') return float('the options leave convolutions float');
    if (!hasStorableWeights(graph, node, settings)) return float('it has no constant float32 weights');
    if (settings.convs === 'stored') {
      return stored(settings, 'a convolution with ranges found at run time is slower than float');
    }
    const bias = node.inputs[2];
    const constant = bias === undefined || graph.constants.get(bias)?.dtype === 'float32';
    if (!constant) return stored(settings, 'its bias is computed at run time');
    return runsDynamic(settings, 'ConvInteger')
      ? integers('conv', settings, 'ConvInteger')
      : stored(settings, without(settings, node.op));
  },
  ConvTranspose: (graph, node, settings) =>
    settings.convs === 'float'
      ? float('the options leave convolutions float')
      : storedOr(graph, node, { settings, reason: without(settings, node.op) }),
  LSTM(graph, node, settings) {
    if (!settings.recurrent) return float('the options leave recurrent layers float');
    const op = 'com.microsoft::DynamicQuantizeLSTM';
    const reason =
      (runsDynamic(settings, op) ? undefined : without(settings, node.op)) ??
      settings.target.dynamic[op]?.obstacle?.(node, graph) ??
      activationObstacle(graph, node) ??
      lstmObstacle(graph, node);
    return reason === undefined ? integers('lstm', settings, op) : storedOr(graph, node, { settings, reason });
  },
  GRU: unrolled,
  RNN: unrolled,
  Gather(graph, node, { embeddings, perChannel, target }) {
    const obstacle = rowsObstacle(graph, node);
    if (obstacle !== undefined) return float(obstacle);
    if (!embeddings) return float('the options leave embeddings float');
    if (!target.storage?.types.includes('int8')) return float(`${target.name} does not store weights as int8`);
    const [one, granularity] = perChannel ? ['row', 'row'] : ['table', 'tensor'];
    return quantized('gather', {
      reason: `Table stored in 8 bits, one scale per ${one}; rows restored when looked up`,
      details: { weightBits: 8, granularity, compute: 'float32' },
    });
  },
};

const quantized = (form: DynamicForm, verdict: Omit<Verdict, 'outcome'>): DynamicFate => ({
  form,
  verdict: { outcome: 'quantized', ...verdict },
});

const scaled = ({ perChannel, target }: DynamicSettings): string =>
  perChannel && target.storage?.scales === 'channel' ? 'channel' : 'tensor';

function integers(form: DynamicForm, settings: DynamicSettings, op: DynamicOp): DynamicFate {
  const [{ bits }, granularity] = [settings.weights, byChannel(settings, op) ? 'channel' : 'tensor'];
  return quantized(form, {
    reason: `${bits}-bit weights, one scale per ${granularity}, activations in 8 bits over the range of each run`,
    details: { weightBits: bits, granularity, activationBits: 8, compute: 'integer' },
  });
}

const stored = (settings: DynamicSettings, reason: string): DynamicFate =>
  quantized('stored', {
    reason: `Weights stored in 8 bits, one scale per ${scaled(settings)}; computed in float, because ${reason}`,
    details: { weightBits: 8, granularity: scaled(settings), compute: 'float32' },
  });

const storedOr = (
  graph: Graph,
  node: Node,
  { settings, reason }: { readonly settings: Facts; readonly reason: string },
): DynamicFate => (hasStorableWeights(graph, node, settings) ? stored(settings, reason) : float(reason));
