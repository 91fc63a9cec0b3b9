import type { Compressor, Rounding } from '@espalier/core';
import { nodeByNode } from '../node-by-node.js';
import { createStoredWeights } from '../stored-weights.js';
import { writeRows } from '../write-rows.js';
import type { DynamicSettings } from './dynamic-settings.js';
import type { DynamicWriting } from './dynamic-writing.js';
import { type DynamicForm, fateOf } from './plan-dynamic.js';
import { writeConv } from './write-conv.js';
import { writeLstm } from './write-lstm.js';
import { writeMatMul } from './write-matmul.js';

/** Dynamic quantization of a graph, or of nothing but the bodies of its If, Loop and Scan. */
export const dynamicCompressor = (
  settings: DynamicSettings,
  { bodiesOnly = false, rounding }: { readonly bodiesOnly?: boolean; readonly rounding?: Rounding | undefined } = {},
): Compressor =>
  nodeByNode<DynamicForm>({
    opset: 13,
    bodiesOnly,
    fateOf: (graph, node, rules) => fateOf(graph, node, { ...settings, rules }),
    contrib: ['lstm'],
    rounding: rounding && { rounding, forms: ['matmul', 'conv'] },
    writers(shared) {
      const stored = createStoredWeights(shared.graph, { ...settings, ...shared });
      const writing: DynamicWriting = { ...shared, settings, stored, activations: new Map() };
      return {
        matmul: (node) => writeMatMul(writing, node),
        conv: (node) => writeConv(writing, node),
        gather: (node) => writeRows(writing, node, { clip: settings.clip, perRow: settings.perChannel }),
        lstm: (node) => writeLstm(writing, node),
        stored: (node) => shared.writer.emit(stored.write(node)),
      };
    },
  });
