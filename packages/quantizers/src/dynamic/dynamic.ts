import { definePlugin, type Graph, type Node, type Note, type Outcome, type Quantizer } from '@espalier/core';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { noteNodes, type Verdict } from '../note-nodes.js';
import { prepareGraph } from '../prepare-graph.js';
import { writeGraph } from '../quantized-graph.js';
import { createStoredWeights } from '../stored-weights.js';
import type { DynamicSettings } from './dynamic-settings.js';
import type { DynamicWriting } from './dynamic-writing.js';
import { type DynamicFate, fateOf } from './plan-dynamic.js';
import { writeConv } from './write-conv.js';
import { writeGather } from './write-gather.js';
import { writeLstm } from './write-lstm.js';
import { writeMatMul } from './write-matmul.js';

/** Quantizer: int8 weights, and activations quantized over the range they have at each run. Needs no data. */
export const dynamicQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'dynamic',
  about: 'Integer weights, activations quantized at run time: no data needed; for transformers and recurrent nets.',
  options: {
    weights: {
      type: 'group',
      about: 'how weights are quantized',
      of: {
        granularity: { type: 'choice', of: ['channel', 'tensor'], default: 'channel', about: 'what shares a scale' },
        clip: {
          type: 'choice',
          of: ['minmax', 'mse'],
          default: 'minmax',
          about: 'the whole range, or the part of least squared error',
        },
      },
    },
    reduceRange: { type: 'boolean', default: false, about: '7-bit weights, for x86 processors without VNNI' },
    convs: {
      type: 'choice',
      of: ['stored', 'integer', 'float'],
      default: 'stored',
      about: 'convolutions: weights stored in 8 bits and computed in float, ConvInteger, or left alone',
    },
    recurrent: {
      type: 'boolean',
      default: true,
      about: 'quantize LSTM, and store the weights of GRU and RNN in 8 bits',
    },
    embeddings: { type: 'boolean', default: true, about: 'store tables that Gather reads in 8 bits' },
    ...nodeChoiceOptions,
  },
  create: ({ weights, reduceRange, convs, recurrent, embeddings, ...choice }): Quantizer => {
    const settings: DynamicSettings = {
      weights: { bits: reduceRange ? 7 : 8, signed: true, symmetric: true, narrow: !reduceRange },
      perChannel: weights.granularity === 'channel',
      clip: weights.clip as DynamicSettings['clip'], // one of the choices above
      convs: convs as DynamicSettings['convs'], // likewise
      recurrent,
      embeddings,
      leftOut: leftOutBy(choice),
    };
    return { needs: () => [], quantize: (graph) => quantizeDynamic(graph, settings) };
  },
});

function quantizeDynamic(given: Graph, settings: DynamicSettings): Outcome {
  const graph = prepareGraph(given, 13);
  const fates = new Map(graph.nodes.map((node) => [node.id, fateOf(graph, node, settings)]));
  const notes: readonly Note[] = noteNodes(graph, (node) => verdict(fates.get(node.id)!, settings));
  if ([...fates.values()].every(({ form }) => form === 'float')) return { graph: given, notes };
  const writer = writeGraph(graph);
  const replaced = new Set<string>();
  const stored = createStoredWeights(graph, { ...settings, writer, replaced });
  const writing: DynamicWriting = {
    graph,
    settings,
    writer,
    stored,
    replaced,
    activations: new Map(),
    weights: new Map(),
  };
  for (const node of graph.nodes) writers[fates.get(node.id)!.form](writing, node);
  const lstm = [...fates.values()].some(({ form }) => form === 'lstm');
  const opsets = lstm ? new Map([...graph.opsets, ['com.microsoft', 1] as const]) : graph.opsets;
  return { graph: writer.finish(replaced, opsets), notes };
}

const writers = {
  matmul: writeMatMul,
  conv: writeConv,
  gather: writeGather,
  lstm: writeLstm,
  stored: ({ writer, stored }, node) => writer.emit(stored.write(node)),
  float: ({ writer }, node) => writer.emit(node),
} as const satisfies Record<DynamicFate['form'], (writing: DynamicWriting, node: Node) => void>;

function verdict(fate: DynamicFate, { weights, perChannel }: DynamicSettings): Verdict {
  const granularity = perChannel ? 'channel' : 'tensor';
  const { bits } = weights;
  switch (fate.form) {
    case 'float':
      return { outcome: 'float', reason: fate.reason };
    case 'stored':
      return {
        outcome: 'quantized',
        reason: `Weights stored in 8 bits, one scale per ${granularity}; computed in float, because ${fate.reason}`,
        details: { weightBits: 8, granularity, compute: 'float32' },
      };
    case 'gather':
      return {
        outcome: 'quantized',
        reason: `Table stored in 8 bits, one scale per ${perChannel ? 'row' : 'table'}; rows restored when looked up`,
        details: { weightBits: 8, granularity: perChannel ? 'row' : 'tensor', compute: 'float32' },
      };
    case 'matmul':
    case 'conv':
    case 'lstm':
      return {
        outcome: 'quantized',
        reason: `${bits}-bit weights, one scale per ${granularity}, activations in 8 bits over the range of each run`,
        details: { weightBits: bits, granularity, activationBits: 8, compute: 'integer' },
      };
  }
}
