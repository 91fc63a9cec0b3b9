import { definePlugin, editGraph, type Graph } from '@espalier/core';
import { lowerFakeQuantize } from './fake-quantize.js';
import { lowerBatchNormGradient } from './lower/batch-norm-gradient.js';
import { lowerBatchNormTraining } from './lower/batch-norm-training.js';
import { lowerConvInputGradient } from './lower/conv-input-gradient.js';
import { lowerConvWeightGradient } from './lower/conv-weight-gradient.js';
import { lowerFakeQuantizeGradient } from './lower/fake-quantize-gradient.js';
import { lowerMaxPoolGradient } from './lower/max-pool-gradient.js';
import { lowerParameterizedQuantize } from './lower/parameterized-quantize.js';
import { lowerParameterizedQuantizeGradient } from './lower/parameterized-quantize-gradient.js';
import type { Lowering } from './lowering.js';

/** The lowering of each op of the `espalier` domain to standard ops. */
export const lowerings = {
  'espalier::BatchNormGradient': lowerBatchNormGradient,
  'espalier::BatchNormTraining': lowerBatchNormTraining,
  'espalier::ConvInputGradient': lowerConvInputGradient,
  'espalier::ConvWeightGradient': lowerConvWeightGradient,
  'espalier::FakeQuantize': lowerFakeQuantize,
  'espalier::FakeQuantizeGradient': lowerFakeQuantizeGradient,
  'espalier::MaxPoolGradient': lowerMaxPoolGradient,
  'espalier::ParameterizedQuantize': lowerParameterizedQuantize,
  'espalier::ParameterizedQuantizeGradient': lowerParameterizedQuantizeGradient,
} as const satisfies Record<string, Lowering>;

const byOp: ReadonlyMap<string, Lowering> = new Map(Object.entries(lowerings));

/** Options of lowering. */
export interface LoweringOptions {
  /** Whether to use QuantizeLinear and DequantizeLinear where they compute the same. Default: true. */
  readonly qdq?: boolean;
}

/**
 * Writes Espalier's own ops as standard ones, so that any runtime runs the graph. Custom ops of others stay.
 * @throws PASS_LOWERING on a node whose attributes or inputs make no sense.
 */
export function lowerCustomOps(graph: Graph, { qdq = true }: LoweringOptions = {}): Graph {
  const draft = editGraph(graph);
  for (const node of graph.nodes) {
    const lower = byOp.get(node.op);
    if (lower) draft.replace(node.id, ...lower(node, { graph, draft, qdq }));
  }
  return draft.finish();
}

/** Lowers custom ops. */
export const lowerCustomOpsPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'lower-custom-ops',
  about: 'Writes the ops of the espalier domain in standard ones that compute the same.',
  options: {
    qdq: { type: 'boolean', default: true, about: 'whether to use QuantizeLinear and DequantizeLinear where possible' },
  },
  create: (options) => (graph) => lowerCustomOps(graph, options),
});
