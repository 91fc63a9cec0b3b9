import { type Graph, indexOf, type ValueId } from '@espalier/core';
import { errorStats } from '../comparison/snr-db.js';
import type { Costs, LayerCost } from '../costs/costs.js';
import { costsOf } from '../costs/costs-of.js';
import { layerSummary } from '../inspection/inspect-graph.js';
import type { LayerErrors } from '../layer-errors/layer-errors.js';
import { weightPairs } from '../layer-errors/weight-errors.js';
import type { ReportLayer, WeightHistogram } from './compress-report.js';
import { weightHistogram } from './weight-histogram.js';

/** The facts that are known when the layers of a report are assembled. */
export interface ReportLayerFacts {
  /** Costs of both graphs; counted when left out. */
  readonly costs?: { readonly before: Costs; readonly after: Costs };
  /** From `layerErrors`, where data was run. */
  readonly errors?: LayerErrors;
  /** Bins of weight histograms. Default: 48; 0 means none. */
  readonly bins?: number;
}

/**
 * One row for each layer of the original graph, with what became of it in the changed one: costs, error of its
 * output, error and histogram of its weight.
 */
export function reportLayers(
  original: Graph,
  changed: Graph,
  { costs = { before: costsOf(original), after: costsOf(changed) }, errors, bins = 48 }: ReportLayerFacts = {},
): readonly ReportLayer[] {
  const find = finder(changed, costs.after);
  const outputErrors = new Map(errors?.layers.map(({ node, snrDb }) => [node, snrDb]));
  const weights = weightFacts([original, changed], bins);
  const { node: nodes } = indexOf(original);
  return costs.before.layers.map((layer) => {
    const value = nodes.get(layer.node)?.outputs[0];
    const after = find(layer, value);
    const weight = layer.weight === undefined ? undefined : weights.get(layer.weight);
    return {
      node: layer.node,
      op: layer.op,
      value: value ?? null,
      before: layerSummary(original, layer),
      after: after ? layerSummary(changed, after) : null,
      snrDb: outputErrors.get(layer.node) ?? null,
      weightSnrDb: weight?.snrDb ?? null,
      histogram: weight?.histogram ?? null,
    };
  });
}

/** By the value it makes, then by its weight (an integer product is scaled by a later node), then by its id. */
function finder(changed: Graph, costs: Costs): (layer: LayerCost, value: ValueId | undefined) => LayerCost | undefined {
  const layers = new Map(costs.layers.map((layer) => [layer.node, layer]));
  const weights = new Map(costs.layers.map((layer) => [layer.weight, layer]));
  const { producer } = indexOf(changed);
  return ({ node, weight }, value) =>
    (value === undefined ? undefined : layers.get(producer.get(value)?.id ?? '')) ??
    (weight === undefined ? undefined : (weights.get(weight) ?? weights.get(`${weight}_quantized`))) ??
    layers.get(node);
}

interface WeightFacts {
  readonly snrDb: number;
  readonly histogram: WeightHistogram | null;
}

function weightFacts([original, changed]: readonly [Graph, Graph], bins: number): ReadonlyMap<ValueId, WeightFacts> {
  const facts = new Map<ValueId, WeightFacts>();
  for (const { weight, before, after } of weightPairs(original, changed)) {
    facts.set(weight, {
      snrDb: errorStats(before.values, after.values).snrDb,
      histogram: bins > 0 ? weightHistogram(before.values, { after: after.values, bins }) : null,
    });
  }
  return facts;
}
