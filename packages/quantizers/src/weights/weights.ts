import { definePlugin, type Graph, intOf, type Node, type Outcome, type Quantizer, tensorInfo } from '@espalier/core';
import { optionsConflict } from '../errors.js';
import { isFiniteTensor } from '../finite-tensor.js';
import { matrixObstacle } from '../matrix-weights.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { noteNodes, type Verdict } from '../note-nodes.js';
import { prepareGraph } from '../prepare-graph.js';
import { writeGraph } from '../quantized-graph.js';
import type { WeightsSettings } from './weights-settings.js';
import type { WeightsWriting } from './weights-writing.js';
import { writeEmbedding } from './write-embedding.js';
import { writeNBits } from './write-nbits.js';
import { writeBlockedMatMul, writeConvWeights } from './write-qdq.js';

/** Quantizer: matrices in 4 or 8 bits with a scale for every block, activations in float. Needs no data. */
export const weightsQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'weights',
  about:
    'Matrices in 2, 4 or 8 bits with a scale per block, activations in float: no data needed; for language models.',
  options: {
    bits: { type: 'integer', default: 4, min: 2, max: 8, about: 'the width of a weight: 2, 4 or 8' },
    block: { type: 'integer', default: 32, min: 16, max: 256, about: 'weights that share a scale: a power of two' },
    symmetric: { type: 'boolean', default: true, about: 'whether the zero point is in the middle' },
    clip: {
      type: 'choice',
      of: ['minmax', 'mse'],
      default: 'minmax',
      about: 'the whole range of a block, or the part of least squared error',
    },
    form: {
      type: 'choice',
      of: ['matmulnbits', 'qdq'],
      default: 'matmulnbits',
      about: 'the onnxruntime op, or standard DequantizeLinear with blocks (opset 21)',
    },
    accuracyLevel: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 4,
      about: 'how MatMulNBits computes: 0 as it likes, 1 float32, 2 float16, 3 bfloat16, 4 int8 (fastest, coarsest)',
    },
    convs: {
      type: 'boolean',
      default: false,
      about: 'store weights of convolutions too, one scale per channel (opset 21)',
    },
    embeddings: { type: 'boolean', default: false, about: 'store tables that Gather reads as GatherBlockQuantized' },
    smallest: { type: 'integer', default: 1024, min: 0, about: 'matrices with fewer elements stay float' },
    ...nodeChoiceOptions,
  },
  create: ({ bits, symmetric, block, accuracyLevel, ...options }): Quantizer => {
    const where = 'quantizer weights';
    if (![2, 4, 8].includes(bits))
      throw optionsConflict(`${where}.bits`, '2, 4 or 8', `${bits}`, 'Choose one of them.');
    if (!Number.isInteger(Math.log2(block))) {
      throw optionsConflict(`${where}.block`, 'a power of two from 16 to 256', `${block}`, 'Choose 32, 64 or 128.');
    }
    if (bits === 2 && (options.form === 'qdq' || options.convs)) {
      const fix = 'Runtimes with opset 25 are rare: take form "matmulnbits" without `convs`, or 4 bits.';
      throw optionsConflict(`${where}.form`, 'matmulnbits for 2 bits', options.convs ? 'convs' : 'qdq', fix);
    }
    if (accuracyLevel > 0 && options.form === 'qdq') {
      const fix = 'Leave it out: with standard ops the runtime decides (session.qdq_matmulnbits_accuracy_level).';
      throw optionsConflict(`${where}.accuracyLevel`, 'form matmulnbits', 'qdq', fix);
    }
    const settings: WeightsSettings = {
      grid: { bits, signed: symmetric, symmetric },
      block,
      clip: options.clip as WeightsSettings['clip'], // one of the choices above
      form: options.form as WeightsSettings['form'], // likewise
      accuracyLevel,
      convs: options.convs,
      embeddings: options.embeddings,
      smallest: options.smallest,
      leftOut: leftOutBy(options),
    };
    return { needs: () => [], quantize: (graph) => quantizeWeights(graph, settings) };
  },
});

type Fate = { readonly form: 'matrix' | 'conv' | 'embedding' } | { readonly form: 'float'; readonly reason: string };

function quantizeWeights(given: Graph, settings: WeightsSettings): Outcome {
  const graph = prepareGraph(given, settings.form === 'qdq' || settings.convs ? 21 : 13);
  const fates = new Map(graph.nodes.map((node) => [node.id, fateOf(graph, node, settings)]));
  const notes = noteNodes(graph, (node) => verdict(fates.get(node.id)!, settings));
  const forms = new Set([...fates.values()].map(({ form }) => form));
  if (forms.size === 0 || (forms.size === 1 && forms.has('float'))) return { graph: given, notes };
  const writer = writeGraph(graph);
  const replaced = new Set<string>();
  const writing: WeightsWriting = { graph, settings, writer, replaced, written: new Map() };
  const writers = {
    matrix: settings.form === 'qdq' ? writeBlockedMatMul : writeNBits,
    conv: writeConvWeights,
    embedding: writeEmbedding,
    float: (_: WeightsWriting, node: Node) => writer.emit(node),
  } as const satisfies Record<Fate['form'], (writing: WeightsWriting, node: Node) => void>;
  for (const node of graph.nodes) writers[fates.get(node.id)!.form](writing, node);
  const contrib = (forms.has('matrix') && settings.form === 'matmulnbits') || forms.has('embedding');
  const opsets = contrib ? new Map([...graph.opsets, ['com.microsoft', 1] as const]) : graph.opsets;
  return { graph: writer.finish(replaced, opsets), notes };
}

function fateOf(graph: Graph, node: Node, settings: WeightsSettings): Fate {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return { form: 'float', reason: left };
  switch (node.op) {
    case 'MatMul':
    case 'Gemm':
      return matrixFate(graph, node, settings);
    case 'Conv':
      return convFate(graph, node, settings);
    case 'Gather':
      return embeddingFate(graph, node, settings);
    default:
      return { form: 'float', reason: 'it has no matrix of weights' };
  }
}

function matrixFate(graph: Graph, node: Node, { smallest }: WeightsSettings): Fate {
  const dtype = tensorInfo(graph, node.inputs[0] ?? '')?.dtype;
  if (dtype !== undefined && dtype !== 'float32')
    return { form: 'float', reason: `its input is ${dtype}, not float32` };
  const obstacle = matrixObstacle(graph, node);
  if (obstacle !== undefined) return { form: 'float', reason: obstacle };
  const small = graph.constants.get(node.inputs[1]!)!.data.length < smallest;
  return small ? { form: 'float', reason: `its matrix has fewer than ${smallest} elements` } : { form: 'matrix' };
}

function convFate(graph: Graph, node: Node, { convs, smallest }: WeightsSettings): Fate {
  if (!convs) return { form: 'float', reason: 'the options leave convolutions float' };
  const weight = graph.constants.get(node.inputs[1] ?? '');
  if (weight?.dtype !== 'float32') return { form: 'float', reason: 'it has no constant float32 weights' };
  if (!isFiniteTensor(weight)) return { form: 'float', reason: 'its weights hold NaN or infinity' };
  const small = weight.data.length < smallest;
  return small ? { form: 'float', reason: `its weights have fewer than ${smallest} elements` } : { form: 'conv' };
}

function embeddingFate(graph: Graph, node: Node, { embeddings, block, grid, smallest }: WeightsSettings): Fate {
  const table = graph.constants.get(node.inputs[0] ?? '');
  if (table?.dtype !== 'float32') return { form: 'float', reason: 'it has no table of weights' };
  if (!embeddings) return { form: 'float', reason: 'the options leave embeddings float' };
  if (table.shape.length !== 2 || intOf(node, 'axis', 0) !== 0) {
    return { form: 'float', reason: 'it does not look up rows of a matrix' };
  }
  if (table.data.length < smallest) return { form: 'float', reason: `its table has fewer than ${smallest} elements` };
  const whole = (table.shape[1]! * grid.bits) % 8 === 0;
  if (!whole) return { form: 'float', reason: `its rows do not fill whole bytes in blocks of ${block}` };
  return isFiniteTensor(table) ? { form: 'embedding' } : { form: 'float', reason: 'its table holds NaN or infinity' };
}

function verdict(fate: Fate, { grid, block, accuracyLevel, form }: WeightsSettings): Verdict {
  if (fate.form === 'float') return { outcome: 'float', reason: fate.reason };
  const conv = fate.form === 'conv';
  const granularity = conv ? 'channel' : 'block';
  const shared = conv ? 'one scale per channel' : `one scale per ${block} weights`;
  const level = fate.form === 'matrix' && form === 'matmulnbits' ? { accuracyLevel } : {};
  return {
    outcome: 'quantized',
    reason: `${grid.bits}-bit weights, ${shared}; activations in float`,
    details: { weightBits: grid.bits, granularity, ...(conv ? {} : { block }), compute: 'float32', ...level },
  };
}
