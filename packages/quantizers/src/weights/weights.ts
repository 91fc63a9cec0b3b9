import { definePlugin, type Node } from '@espalier/core';
import { checkOpset, checkPacked, codesOn } from '../check-target.js';
import { matrixWeights } from '../matrix-weights.js';
import { nodeByNode } from '../node-by-node.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { createStoredWeights } from '../stored-weights.js';
import { targetOption, targetOr } from '../target-option.js';
import { writeRows } from '../write-rows.js';
import { fateOf, type WeightsForm } from './plan-weights.js';
import type { WeightsSettings } from './weights-settings.js';
import type { WeightsWriting } from './weights-writing.js';
import { writeBnb4 } from './write-bnb4.js';
import { writeEmbedding } from './write-embedding.js';
import { writeNBits } from './write-nbits.js';
import { writeBlockedMatMul, writeConvWeights } from './write-qdq.js';
import { writeTiedTable } from './write-table.js';

const where = 'quantizer weights';
/** Options of evenly spaced values; a codebook has 4 bits, its own zero and its own op. */
const even = { codebook: ['none'] } as const;

/** Quantizer: matrices in 4 or 8 bits with a scale for every block, activations in float. Needs no data. */
export const weightsQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'weights',
  about:
    'Matrices in 2, 4 or 8 bits with a scale per block, activations in float: no data needed; for language models.',
  options: {
    bits: { type: 'integer', default: 4, of: [2, 4, 8], when: even, about: 'the width of a weight' },
    block: { type: 'integer', default: 32, of: [16, 32, 64, 128, 256], about: 'weights that share a scale' },
    symmetric: { type: 'boolean', default: true, when: even, about: 'whether the zero point is in the middle' },
    codebook: {
      type: 'choice',
      of: ['none', 'nf4', 'fp4'],
      default: 'none',
      about: 'evenly spaced values, or sixteen unevenly spaced ones (MatMulBnb4; usual with blocks of 64)',
    },
    rounding: {
      type: 'plugin',
      kind: 'rounding',
      optional: true,
      when: even,
      about: 'how weights are rounded, by their inputs (needs data) or not. Default: each weight to the nearest',
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
      about: 'com.microsoft::MatMulNBits, or standard DequantizeLinear with blocks (opset 21; 25 for 2 bits)',
    },
    accuracyLevel: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 4,
      when: { ...even, form: ['matmulnbits'] },
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
    ...targetOption,
    ...nodeChoiceOptions,
  },
  create: ({ target: given, bits, symmetric, block, accuracyLevel, ...options }) => {
    const target = targetOr(given);
    const { codebook } = options;
    const settings: WeightsSettings = {
      target,
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
    const standard = qdq || options.convs; // DequantizeLinear with blocks or few bits
    const opset = !standard ? 13 : bits === 2 ? 25 : 21;
    checkOpset(target, opset, where);
    if (standard) codesOn(target, settings.grid, { where, of: 'weights' });
    const packed = codebook === 'none' ? 'com.microsoft::MatMulNBits' : 'com.microsoft::MatMulBnb4';
    if (!qdq) checkPacked(target, packed, { where: `${where}.form`, ...settings });
    if (options.embeddings)
      checkPacked(target, 'com.microsoft::GatherBlockQuantized', { where: `${where}.embeddings`, ...settings });
    const writeMatrix = (writing: WeightsWriting, node: Node) =>
      codebook !== 'none' ? writeBnb4(writing, node, codebook) : (qdq ? writeBlockedMatMul : writeNBits)(writing, node);
    return nodeByNode<WeightsForm>({
      opset,
      single: ['bfloat16', 'float64'], // packed matrices and rows take float16
      fateOf: (graph, node, rules) => fateOf(graph, node, { ...settings, rules }),
      rounding: options.rounding && { rounding: options.rounding, forms: ['matrix', 'conv'] },
      contrib: qdq ? ['embedding'] : ['matrix', 'embedding'],
      writers(shared) {
        const rows = { clip: options.clip, perRow: true };
        const stored = createStoredWeights(shared.graph, { ...settings, ...shared, perChannel: true });
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
          stored: (node) => shared.writer.emit(stored.write(node)),
        };
      },
    });
  },
});
