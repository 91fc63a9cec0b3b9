import { type AxisRules, type Graph, intOf, type Node, tensorInfo } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { matrixObstacle, matrixWeights } from '../matrix-weights.js';
import { type Fate, float } from '../node-by-node.js';
import { hasStorableWeights } from '../stored-weights.js';
import { isTable, rowsObstacle } from '../write-rows.js';
import type { WeightsSettings } from './weights-settings.js';

/** The stored form of the weights of a node. */
export type WeightsForm = 'matrix' | 'conv' | 'embedding' | 'rows' | 'tied' | 'stack' | 'stored';

/** The options, and how the axes of custom ops relate. */
type Facts = WeightsSettings & { readonly rules: AxisRules };
type Rule = (graph: Graph, node: Node, settings: Facts) => Fate<WeightsForm>;

/** Decides each node by itself. */
export function fateOf(graph: Graph, node: Node, settings: Facts): Fate<WeightsForm> {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return float(left);
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (rule) return rule(graph, node, settings);
  return settings.rules.has(node.op) ? custom(graph, node, settings) : float('it has no matrix of weights');
}

const custom: Rule = (graph, node, settings) => {
  if (!hasStorableWeights(graph, node, settings)) return float('it has no weights that can be stored');
  const granularity = settings.target.storage?.scales ?? 'tensor';
  const reason = `8-bit weights, one scale per ${granularity}, because it is a custom op; computed in float`;
  const details = { weightBits: 8, granularity, compute: 'float32' };
  return { form: 'stored', verdict: { outcome: 'quantized', reason, details } };
};

const matrix: Rule = (graph, node, settings) => {
  const { smallest, accuracyLevel, form } = settings;
  const plain = form === 'matmulnbits' && settings.codebook === 'none';
  const obstacle = matrixObstacle(graph, node, plain ? ['float32', 'float16'] : ['float32']);
  if (obstacle !== undefined) return float(obstacle);
  const { name, stack, values, data, turned, bias } = matrixWeights(graph, node);
  if (values.length < smallest) return float(`its matrix has fewer than ${smallest} elements`);
  if (storesRows(settings) && turned && isTable(graph, name)) {
    return inRows('tied', 'Shares the table of an embedding, stored in 8 bits; computed in float');
  }
  if (stack.length > 0) {
    return name === node.inputs[1] && graph.constants.get(name)!.dtype === 'float32'
      ? inRows('stack', 'Several matrices, stored in 8 bits; computed in float, because no kernel takes them in blocks')
      : float('its matrices are turned or cast');
  }
  const rank = tensorInfo(graph, node.inputs[data]!)?.shape?.length;
  if (data === 1 && (!plain || rank === undefined || rank < 2)) return float('its weights are on the left');
  if (bias && bias.factor !== 1 && graph.constants.get(name)!.dtype !== 'float32') return float('its bias is scaled');
  return inBlocks('matrix', settings, plain ? { accuracyLevel } : {});
};

const rules: Readonly<Record<string, Rule>> = {
  MatMul: matrix,
  Gemm: matrix,
  Conv(graph, node, { convs, smallest, grid: { bits } }) {
    if (!convs) return float('the options leave convolutions float');
    const weight = graph.constants.get(node.inputs[1] ?? '');
    if (weight?.dtype !== 'float32') return float('it has no constant float32 weights');
    if (!isFiniteTensor(weight)) return float('its weights hold NaN or infinity');
    if (weight.data.length < smallest) return float(`its weights have fewer than ${smallest} elements`);
    const reason = `${bits}-bit weights, one scale per channel; activations in float`;
    const details = { weightBits: bits, granularity: 'channel', compute: 'float32' };
    return { form: 'conv', verdict: { outcome: 'quantized', reason, details } };
  },
  Gather(graph, node, settings) {
    const { embeddings, block, grid, smallest } = settings;
    if (storesRows(settings)) {
      const obstacle = rowsObstacle(graph, node, ['float32', 'float16']);
      if (obstacle !== undefined) return float(obstacle);
      return inRows('rows', 'Table stored in 8 bits, one scale per row; rows restored when looked up');
    }
    const table = graph.constants.get(node.inputs[0] ?? '');
    if (table?.dtype !== 'float32') return float('it has no table of weights');
    if (!embeddings) return float('the options leave embeddings float');
    if (table.shape.length !== 2 || intOf(node, 'axis', 0) !== 0) return float('it does not look up rows of a matrix');
    if (table.data.length < smallest) return float(`its table has fewer than ${smallest} elements`);
    if ((table.shape[1]! * grid.bits) % 8 !== 0) return float(`its rows do not fill whole bytes in blocks of ${block}`);
    return isFiniteTensor(table) ? inBlocks('embedding', settings) : float('its table holds NaN or infinity');
  },
};

function inBlocks(form: WeightsForm, settings: WeightsSettings, more = {}): Fate<WeightsForm> {
  const { block, codebook } = settings;
  const { bits } = settings.grid;
  const reason = `${bits}-bit ${codebook === 'none' ? '' : `${codebook.toUpperCase()} `}weights, one scale per ${block} weights; activations in float`;
  const details = { weightBits: bits, granularity: 'block', block, compute: 'float32', ...more };
  return { form, verdict: { outcome: 'quantized', reason, details } };
}

const storesRows = ({ embeddings, tables, target }: WeightsSettings): boolean =>
  !embeddings && tables === 'int8' && (target.storage?.types.includes('int8') ?? false);

const inRows = (form: WeightsForm, reason: string): Fate<WeightsForm> => ({
  form,
  verdict: { outcome: 'quantized', reason, details: { weightBits: 8, granularity: 'row', compute: 'float32' } },
});
