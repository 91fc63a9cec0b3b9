import { type Graph, intOf, type Node } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { matrixObstacle } from '../matrix-weights.js';
import { type Fate, float } from '../node-by-node.js';
import { activationObstacle } from '../node-obstacles.js';
import type { WeightsSettings } from './weights-settings.js';

/** How the weights of a node are stored. */
export type WeightsForm = 'matrix' | 'conv' | 'embedding';

type Rule = (graph: Graph, node: Node, settings: WeightsSettings) => Fate<WeightsForm>;

/** Decides each node by itself. */
export function fateOf(graph: Graph, node: Node, settings: WeightsSettings): Fate<WeightsForm> {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return float(left);
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  return rule ? rule(graph, node, settings) : float('it has no matrix of weights');
}

const matrix: Rule = (graph, node, settings) => {
  const obstacle = activationObstacle(graph, node) ?? matrixObstacle(graph, node);
  if (obstacle !== undefined) return float(obstacle);
  const { smallest, accuracyLevel, form } = settings;
  if (graph.constants.get(node.inputs[1]!)!.data.length < smallest) {
    return float(`its matrix has fewer than ${smallest} elements`);
  }
  return inBlocks('matrix', settings, form === 'matmulnbits' && settings.codebook === 'none' ? { accuracyLevel } : {});
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
