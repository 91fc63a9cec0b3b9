import { type Graph, intOf, type Node, tensorInfo } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { matrixObstacle } from '../matrix-weights.js';
import { hasStorableWeights } from '../stored-weights.js';
import type { DynamicSettings } from './dynamic-settings.js';
import { lstmObstacle } from './write-lstm.js';

/** The decision about a node: an integer form, integer storage, or float and why. */
export type DynamicFate =
  | { readonly form: 'matmul' | 'conv' | 'gather' | 'lstm' }
  | { readonly form: 'stored'; readonly reason: string }
  | { readonly form: 'float'; readonly reason: string };

/** Decides each node by itself: dynamic quantization of one never depends on another. */
export function fateOf(graph: Graph, node: Node, settings: DynamicSettings): DynamicFate {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return { form: 'float', reason: left };
  switch (node.op) {
    case 'MatMul':
    case 'Gemm':
      return orFloat('matmul', activationObstacle(graph, node) ?? matrixObstacle(graph, node));
    case 'Conv':
      return convFate(graph, node, settings);
    case 'LSTM': {
      if (!settings.recurrent) return { form: 'float', reason: 'the options leave recurrent layers float' };
      const obstacle = activationObstacle(graph, node) ?? lstmObstacle(graph, node);
      return obstacle === undefined ? { form: 'lstm' } : storedOr(graph, node, obstacle);
    }
    case 'GRU':
    case 'RNN':
      if (!settings.recurrent) return { form: 'float', reason: 'the options leave recurrent layers float' };
      return storedOr(graph, node, `onnxruntime has no integer ${node.op}`);
    case 'ConvTranspose':
      if (settings.convs === 'float') return { form: 'float', reason: 'the options leave convolutions float' };
      return storedOr(graph, node, 'onnxruntime has no integer kernel for it on the CPU');
    case 'Gather':
      return gatherFate(graph, node, settings);
    default:
      return { form: 'float', reason: 'it has no weights to quantize' };
  }
}

const orFloat = (form: 'matmul' | 'gather', obstacle: string | undefined): DynamicFate =>
  obstacle === undefined ? { form } : { form: 'float', reason: obstacle };

const storedOr = (graph: Graph, node: Node, reason: string): DynamicFate =>
  hasStorableWeights(graph, node) ? { form: 'stored', reason } : { form: 'float', reason };

function activationObstacle(graph: Graph, node: Node): string | undefined {
  const dtype = tensorInfo(graph, node.inputs[0] ?? '')?.dtype;
  return dtype === undefined || dtype === 'float32' ? undefined : `its input is ${dtype}, not float32`;
}

function convFate(graph: Graph, node: Node, { convs }: DynamicSettings): DynamicFate {
  if (convs === 'float') return { form: 'float', reason: 'the options leave convolutions float' };
  if (!hasStorableWeights(graph, node)) return { form: 'float', reason: 'it has no constant float32 weights' };
  if (convs === 'stored') {
    return { form: 'stored', reason: 'a convolution with ranges found at run time is slower than float' };
  }
  const bias = node.inputs[2];
  if (bias !== undefined && graph.constants.get(bias)?.dtype !== 'float32') {
    return { form: 'stored', reason: 'its bias is computed at run time' };
  }
  return { form: 'conv' };
}

function gatherFate(graph: Graph, node: Node, { embeddings }: DynamicSettings): DynamicFate {
  const table = graph.constants.get(node.inputs[0] ?? '');
  if (table?.dtype !== 'float32') return { form: 'float', reason: 'it has no table of weights' };
  if (!embeddings) return { form: 'float', reason: 'the options leave embeddings float' };
  if (table.shape.length < 2 || table.data.length < 1024) return { form: 'float', reason: 'its table is small' };
  if (intOf(node, 'axis', 0) !== 0) return { form: 'float', reason: 'it does not look up rows' };
  return isFiniteTensor(table) ? { form: 'gather' } : { form: 'float', reason: 'its table holds NaN or infinity' };
}
