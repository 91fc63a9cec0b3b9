import {
  type Compressed,
  type Compressor,
  type Evidence,
  editGraph,
  type Graph,
  type Note,
  sizeOf,
  type WeightScorer,
} from '@espalier/core';
import { evidenceNotes } from './evidence-notes.js';
import { type FoundLayers, findLayers } from './find-layers.js';
import { patternText } from './granularity.js';
import type { PruneLayer } from './prune-layer.js';
import { type CheckedPruneOptions, checkPruneOptions, type Normalization, type PruneOptions } from './prune-options.js';
import { pruningKeys, unitFactor } from './pruning-keys.js';
import { smallest } from './select-smallest.js';
import { weightScorerOf } from './weight-scorer-of.js';
import { type Zeroed, zeroBelow, zeroByPattern } from './zero-smallest.js';

/**
 * Sets the weights with the smallest scores to zero. Each layer (or all together, with global scope) ends with
 * round(sparsity * elements) zeros, those that were zero before counted first; an N:M pattern keeps at most n of
 * every m neighbours along the reduction axis. Equal scores are pruned in the order of the elements. Weights that
 * need no change stay the same objects, and so does the graph when none does.
 * @throws PRUNE_SPARSITY, PRUNE_GRANULARITY, PRUNE_OP, OPTION_CONFLICT, PRUNE_SCORER; on applying PRUNE_SCORES.
 */
export function pruneWeights(options: PruneOptions): Compressor {
  const scorer = weightScorerOf(options.pruner);
  return (graph, { axes } = {}) => {
    const checked = checkPruneOptions({ ...options, ...(axes ? { rules: axes } : {}) });
    const found = findLayers(graph, checked);
    return {
      graph,
      needs: scorer.needs(graph, found.layers),
      apply: (evidence) => zeroWeights({ graph, options: checked, scorer, ...found }, evidence),
    };
  };
}

interface WeightPlan extends FoundLayers {
  readonly graph: Graph;
  readonly options: CheckedPruneOptions;
  readonly scorer: WeightScorer;
}

function zeroWeights({ graph, layers, notes, options, scorer }: WeightPlan, evidence: Evidence): Compressed {
  const keysOf = (layer: PruneLayer, normalize: Normalization): Uint32Array => {
    const scores = scorer.score(layer, evidence);
    return pruningKeys(layer, scores, normalize === 'none' ? 1 : unitFactor(scores));
  };
  const results = new Map<PruneLayer, Zeroed>();
  for (const layer of layers) if (!layer.pooled) results.set(layer, zeroLayer(layer, keysOf(layer, 'none')));
  const pooled = layers.filter((layer) => layer.pooled);
  const keys = pooled.map((layer) => keysOf(layer, options.normalize));
  const together = zeroTogether(pooled, keys, options.goal as number); // patterns are never pooled
  for (const [i, layer] of pooled.entries()) results.set(layer, together[i]!);

  const draft = editGraph(graph);
  for (const [{ value, weight }, result] of results)
    if (result.weight !== weight) draft.setConstant(value, result.weight);
  const none: Note = { outcome: 'warning', reason: 'No weight that can be pruned was found.' };
  const told = layers.length === 0 ? [none] : layers.flatMap((layer) => layerNotes(layer, results.get(layer)!));
  return {
    graph: draft.finish(),
    notes: [...told, ...notes, ...evidenceNotes(evidence), ...plainTruth(layers, results)],
  };
}

function zeroLayer({ weight, goal, reduction }: PruneLayer, keys: Uint32Array): Zeroed {
  if (typeof goal === 'object') return zeroByPattern(weight, keys, { pattern: goal, reduction });
  return zeroBelow(weight, keys, smallest([keys], Math.round(goal * keys.length)));
}

function zeroTogether(
  layers: readonly PruneLayer[],
  keys: readonly Uint32Array[],
  sparsity: number,
): readonly Zeroed[] {
  const total = keys.reduce((sum, each) => sum + each.length, 0);
  const cut = smallest(keys, Math.round(sparsity * total));
  let { ties } = cut;
  return layers.map(({ weight }, i) => {
    const result = zeroBelow(weight, keys[i]!, { key: cut.key, ties });
    ties = result.ties;
    return result;
  });
}

function layerNotes({ node, op, value, weight, goal }: PruneLayer, { zeros, before }: Zeroed): readonly Note[] {
  const elements = sizeOf(weight.shape);
  const sparsity = zeros / elements;
  const granularity = typeof goal === 'object' ? patternText(goal) : 'weight';
  const details = { sparsity, elements, zeros, zerosBefore: before, granularity };
  const share = `${zeros} of ${elements} weights (${(100 * sparsity).toFixed(1)} %) are zero`;
  const reason = `${share}${typeof goal === 'object' ? `, ${granularity}` : ''}${before ? `; ${before} were before` : ''}.`;
  const note: Note = { node, op, value, outcome: zeros > before ? 'pruned' : 'kept', reason, details };
  if (zeros < elements) return [note];
  return [
    note,
    { node, op, value, outcome: 'warning', reason: 'Every weight of this layer is zero: it passes nothing on.' },
  ];
}

/** The note about the limits of zeros, added whenever weights are zeroed. */
function plainTruth(layers: readonly PruneLayer[], results: ReadonlyMap<PruneLayer, Zeroed>): readonly Note[] {
  const changed = layers.filter((layer) => results.get(layer)?.weight !== layer.weight);
  const notes: Note[] = [];
  if (changed.some(({ goal }) => typeof goal === 'number')) {
    notes.push({
      outcome: 'warning',
      reason:
        'Unstructured zeros do not shrink a dense file and do not make a dense runtime faster: write sparse tensors, or compress the file, to save bytes.',
    });
  }
  if (changed.some(({ goal }) => typeof goal === 'object')) {
    notes.push({
      outcome: 'warning',
      reason:
        'N:M zeros do not shrink a dense file: only hardware with sparse matrix units runs them faster, and compressing the file saves bytes.',
    });
  }
  return notes;
}
