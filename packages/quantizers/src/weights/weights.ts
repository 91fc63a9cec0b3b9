import { definePlugin, type Node } from '@espalier/core';
import { optionsConflict } from '../errors.js';
import { matrixWeights } from '../matrix-weights.js';
import { nodeByNode } from '../node-by-node.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { createStoredWeights } from '../stored-weights.js';
import { writeRows } from '../write-rows.js';
import { fateOf, type WeightsForm } from './plan-weights.js';
import type { WeightsSettings } from './weights-settings.js';
import type { WeightsWriting } from './weights-writing.js';
import { writeBnb4 } from './write-bnb4.js';
import { writeEmbedding } from './write-embedding.js';
import { writeNBits } from './write-nbits.js';
import { writeBlockedMatMul, writeConvWeights } from './write-qdq.js';
import { writeTiedTable } from './write-table.js';

/** Options of evenly spaced values; a codebook has 4 bits, its own zero and its own op. */
const even = { codebook: ['none'] } as const;

/** Quantizer: matrices in 4 or 8 bits with a scale for every block, activations in float. Needs no data. */
export const weightsQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'weights',
  about:
    'Matrices in 2, 4 or 8 bits with a scale per block, activations in float: no data needed; for language models.',
  options: {
    bits: { type: 'integer', default: 4, min: 2, max: 8, when: even, about: 'the width of a weight: 2, 4 or 8' },
    block: { type: 'integer', default: 32, min: 16, max: 256, about: 'weights that share a scale: a power of two' },
    symmetric: { type: 'boolean', default: true, when: even, about: 'whether the zero point is in the middle' },
    codebook: {
      type: 'choice',
      of: ['none', 'nf4', 'fp4'],
      default: 'none',
      about: 'evenly spaced values, or sixteen unevenly spaced ones (MatMulBnb4; usual with blocks of 64)',
    },
    clip: {
      type: 'choice',
      of: ['minmax', 'mse'],
      default: 'mse',
      about: 'scales of least squared error, or those that cover the whole range of a block',
    },
    form: {
      type: 'choice',
      of: ['matmulnbits', 'qdq'],
      default: 'matmulnbits',
      when: even,
      about: 'the onnxruntime op, or standard DequantizeLinear with blocks (opset 21)',
    },
    accuracyLevel: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 4,
      when: even,
      about: 'how MatMulNBits computes: 0 as it likes, 1 float32, 2 float16, 3 bfloat16, 4 int8 (fastest, coarsest)',
    },
    convs: {
      type: 'boolean',
      default: false,
      when: even,
      about: 'store weights of convolutions too, one scale per channel (opset 21)',
    },
    embeddings: {
      type: 'boolean',
      default: false,
      when: even,
      about: 'store tables that Gather reads as GatherBlockQuantized',
    },
    tables: {
      type: 'choice',
      of: ['int8', 'float'],
      default: 'int8',
      about: 'tables that Gather reads, unless `embeddings` puts them in blocks: 8 bits and a scale per row, or float',
    },
    smallest: { type: 'integer', default: 1024, min: 0, about: 'matrices with fewer elements stay float' },
    ...nodeChoiceOptions,
  },
  create: ({ bits, symmetric, block, accuracyLevel, ...options }) => {
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
    const { codebook } = options;
    const settings: WeightsSettings = {
      grid: { bits, signed: symmetric, symmetric },
      block,
      clip: options.clip,
      form: options.form,
      codebook,
      accuracyLevel,
      convs: options.convs,
      embeddings: options.embeddings,
      tables: options.tables,
      smallest: options.smallest,
      leftOut: leftOutBy(options),
    };
    const qdq = options.form === 'qdq';
    const writeMatrix = (writing: WeightsWriting, node: Node) =>
      codebook !== 'none' ? writeBnb4(writing, node, codebook) : (qdq ? writeBlockedMatMul : writeNBits)(writing, node);
    return nodeByNode<WeightsForm>({
      opset: qdq || options.convs ? 21 : 13,
      fateOf: (graph, node) => fateOf(graph, node, settings),
      contrib: qdq ? ['embedding'] : ['matrix', 'embedding'],
      writers(shared) {
        const rows = { clip: options.clip, perRow: true };
        const stored = createStoredWeights(shared.graph, { ...shared, clip: options.clip, perChannel: true });
        const writing: WeightsWriting = { ...shared, settings, restored: new Map() };
        return {
          matrix: (node) => writeMatrix(writing, node),
          conv: (node) => writeConvWeights(writing, node),
          embedding: (node) => writeEmbedding(writing, node),
          rows: (node) => writeRows(writing, node, rows),
          tied: (node) => writeTiedTable(writing, node, rows),
          stack(node) {
            const { name, stack } = matrixWeights(shared.graph, node);
            const restored = stored.restored(name, stack.length + 1);
            shared.writer.emit({ ...node, inputs: [node.inputs[0], restored] });
          },
        };
      },
    });
  },
});
