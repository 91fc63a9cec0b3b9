import {
  type Compressor,
  definePlugin,
  type Evidence,
  type Graph,
  type Histogram,
  type Need,
  type Note,
  noEvidence,
  opsetOf,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import {
  convertOpset,
  foldBatchNorm,
  foldConstants,
  normalizeGemm,
  removeDeadNodes,
  removeIdentity,
} from '@espalier/passes';
import { evidenceMissing } from '../errors.js';
import { int8Weights, uint8Activations } from '../grid.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { noteNodes } from '../note-nodes.js';
import { minmax } from '../observers/minmax.js';
import { findUnits } from '../static/find-units.js';
import { maskedValues } from '../static/masked-values.js';
import { planStatic } from '../static/plan-static.js';
import { settleWeights } from '../static/settle-weights.js';
import type { StaticSettings } from '../static/static-settings.js';
import { targetOption, targetOr } from '../target-option.js';
import { activationStart } from './activation-start.js';
import { activationBits, bitsOfLayer } from './bits-of.js';
import { layerEnds } from './layer-ends.js';
import type { LearnedSettings } from './learned-settings.js';
import { placeQuantizers } from './place-quantizers.js';
import { positiveNorms } from './positive-norms.js';
import { withoutQuantizers } from './without-quantizers.js';

const bits = { type: 'integer', min: 2, max: 8, default: 8 } as const;
const start = {
  type: 'choice',
  of: ['mse', 'lsq', 'minmax'],
  default: 'mse',
  about: 'first scales: least squared error, 2 E|x| / √Q as in LSQ, or the whole range',
} as const;

/** Quantizer: fake-quantizers on weights and activations, whose scales training moves. */
export const learnedQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'learned',
  about: 'Quantizers that a training step moves together with the weights; `integers` then writes them as QDQ.',
  options: {
    method: {
      type: 'choice',
      of: ['lsq', 'lsq+', 'pact', 'ste'],
      default: 'lsq',
      about:
        'what is learned: scales, zero points too, clipping levels of activations, or nothing (`ste`: fixed scales)',
    },
    weights: {
      type: 'group',
      about: 'how weights are quantized',
      of: {
        bits: { ...bits, about: 'the width of a weight' },
        granularity: { type: 'choice', of: ['channel', 'tensor'], default: 'channel', about: 'what shares a scale' },
        start,
      },
    },
    activations: {
      type: 'group',
      about: 'how activations are quantized',
      of: { bits: { ...bits, about: 'the width of what layers read' }, start },
    },
    ends: { ...bits, about: 'the width of the weights and inputs of the first and last layers' },
    joins: { ...bits, about: 'the width of what sums, products and pools read' },
    batchNorm: {
      type: 'choice',
      of: ['batch', 'fold'],
      default: 'batch',
      about:
        'batch norms keep the statistics of batches and go into the weights at the end, or go into them before training',
    },
    ...targetOption,
    ...nodeChoiceOptions,
  },
  create: ({ target, method, weights, activations, ends, joins, batchNorm, ...choice }) =>
    compressorOf({
      target: targetOr(target),
      method,
      weights: { bits: weights.bits, perChannel: weights.granularity === 'channel', start: weights.start },
      activations,
      ends,
      joins,
      batchNorm,
      leftOut: leftOutBy(choice),
    }),
});

const bins = 2048;
const leastOpset = 18; // that of training

function compressorOf(settings: LearnedSettings): Compressor {
  return (given, { axes: rules = new Map() } = {}) => {
    // Learned before on other grids: bits are lowered step by step that way.
    const tidy = tidied(withoutQuantizers(given));
    const folded = inferShapes(foldBatchNorm(tidy));
    const graph = settings.batchNorm === 'fold' ? folded : tidy;
    const planning = plannerOf(settings, rules);
    const plan = planStatic(folded, {
      candidates: findUnits(folded, planning),
      settings: planning,
      unusable: maskedValues(folded),
    });
    const ends = layerEnds(folded, plan.units);
    const roots = new Set([...plan.values.values()].filter((value) => !plan.fixed.has(value)));
    return {
      graph: folded,
      needs: [...roots].map((value) => needOf(value, settings)),
      apply(evidence = noEvidence) {
        const placed = placeQuantizers(graph, {
          plan,
          settings,
          ends,
          bits: activationBits(folded, { plan, settings, ends }),
          startOf(value, grid) {
            return activationStart(seenOf(value, settings, evidence), grid, settings.activations.start);
          },
        });
        return { graph: inferShapes(placed), notes: notesOf(folded, { plan, settings, ends }) };
      },
    };
  };
}

/** The whole range needs no histogram, which executors without Loop cannot collect. */
const needOf = (value: ValueId, { activations: { start } }: LearnedSettings): Need =>
  start === 'minmax' ? { statistic: 'range', value } : { statistic: 'histogram', value, bins };

function seenOf(value: ValueId, { activations: { start } }: LearnedSettings, evidence: Evidence): Histogram {
  if (start === 'minmax') {
    const range = evidence.find({ statistic: 'range', value });
    if (range) return { ...range, counts: new Float64Array(0) };
    throw evidenceMissing(value, 'range');
  }
  const histogram = evidence.find({ statistic: 'histogram', value, bins });
  if (histogram) return histogram;
  throw evidenceMissing(value, 'histogram');
}

/** Everything that `simplify` does but for batch norms, which training may want. */
function tidied(given: Graph): Graph {
  const current = opsetOf(given) < leastOpset ? convertOpset(given, leastOpset) : given;
  let graph = current;
  for (let round = 0; round < 2; round++) {
    graph = normalizeGemm(removeDeadNodes(removeIdentity(foldConstants(inferShapes(graph)))));
  }
  return positiveNorms(settleWeights(inferShapes(graph)).graph);
}

const plannerOf = (settings: LearnedSettings, rules: StaticSettings['rules']): StaticSettings => ({
  target: settings.target,
  weights: int8Weights,
  perChannel: settings.weights.perChannel,
  clip: 'minmax',
  activations: uint8Activations,
  fused: true,
  observer: minmax(),
  outputs: false,
  storage: false,
  rules,
  leftOut: (id, op) => (op === 'BatchNormalization' ? 'batch norms are trained in float' : settings.leftOut(id, op)),
});

function notesOf(
  graph: Graph,
  {
    plan,
    settings,
    ends,
  }: {
    readonly plan: ReturnType<typeof planStatic>;
    readonly settings: LearnedSettings;
    readonly ends: ReadonlySet<string>;
  },
): readonly Note[] {
  const tails = new Set([...plan.units.values()].map(({ tail }) => tail?.id));
  return noteNodes(graph, (node) => {
    const unit = plan.units.get(node.id);
    if (!unit && !tails.has(node.id)) {
      return { outcome: 'float', reason: plan.reasons.get(node.id) ?? 'no quantized op reads its result' };
    }
    if (unit?.rule.role !== 'anchor') return { outcome: 'quantized', reason: 'on the grid of what it reads or writes' };
    const weightBits = bitsOfLayer(node.id, ends, { own: settings.weights.bits, ends: settings.ends });
    const activationBits = bitsOfLayer(node.id, ends, { own: settings.activations.bits, ends: settings.ends });
    return {
      outcome: 'quantized',
      reason: `${weightBits}-bit weights and ${activationBits}-bit activations whose scales training moves`,
      details: { weightBits, activationBits, method: settings.method },
    };
  });
}
