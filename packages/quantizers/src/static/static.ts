import { type Compressor, definePlugin, type Evidence, type Need, type Range, type ValueId } from '@espalier/core';
import { checkOpset, codesOn } from '../check-target.js';
import { beyondTarget, evidenceMissing } from '../errors.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { prepareGraph } from '../prepare-graph.js';
import { targetOption, targetOr } from '../target-option.js';
import { findUnits } from './find-units.js';
import { maskedValues } from './masked-values.js';
import { planStatic, type StaticPlan } from './plan-static.js';
import { settleWeights } from './settle-weights.js';
import { quantizeBodies } from './static-bodies.js';
import { staticNotes } from './static-notes.js';
import type { StaticSettings } from './static-settings.js';
import { writeStatic } from './write-static.js';

/** Quantizer: integer weights and activations with fixed scales, in the QDQ form that runtimes fuse. */
export const staticQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'static',
  about: 'Integer weights and activations with scales fixed by calibration (QDQ), for convolutional networks.',
  options: {
    weights: {
      type: 'group',
      about: 'how weights are quantized',
      of: {
        bits: { type: 'integer', default: 8, min: 4, max: 8, about: 'the width of a weight; only 8 runs on integers' },
        symmetric: { type: 'boolean', default: true, about: 'whether the zero point is 0' },
        granularity: { type: 'choice', of: ['channel', 'tensor'], default: 'channel', about: 'what shares a scale' },
        clip: {
          type: 'choice',
          of: ['minmax', 'mse'],
          default: 'minmax',
          about: 'the whole range, or the part of least squared error',
        },
      },
    },
    activations: {
      type: 'group',
      about: 'how activations are quantized',
      of: {
        bits: {
          type: 'integer',
          default: 8,
          min: 4,
          max: 16,
          about: 'the width of an activation; only 8 runs on integers',
        },
        signed: { type: 'boolean', default: false, about: 'int8 instead of uint8' },
        symmetric: { type: 'boolean', default: false, about: 'whether the zero point is in the middle' },
        observer: { type: 'plugin', kind: 'observer', default: 'minmax', about: 'what chooses the ranges' },
      },
    },
    reduceRange: {
      type: 'boolean',
      default: false,
      about: 'at most 7 bits for weights, for x86 processors without VNNI',
    },
    ...targetOption,
    ...nodeChoiceOptions,
    outputs: {
      type: 'boolean',
      default: false,
      about: 'quantize outputs of the model too where a kernel could write float',
    },
    storage: {
      type: 'boolean',
      default: true,
      about: 'store the weights of transposed convolutions as integers although they run in float',
    },
  },
  create(options) {
    const { weights, activations, reduceRange } = options;
    const target = targetOr(options.target);
    if (!weights.symmetric && weights.granularity === 'channel' && target.integer.channelZeroPoints === 'equal') {
      throw beyondTarget(target, {
        where: 'quantizer static.weights',
        expected: 'equal zero points in all channels',
        found: 'asymmetric weights per channel',
        fix: 'Set granularity to "tensor" or symmetric to true.',
      });
    }
    const bits = reduceRange ? Math.min(7, weights.bits) : weights.bits;
    return compressorOf({
      target,
      weights: { bits, signed: true, symmetric: weights.symmetric, narrow: weights.symmetric && bits === 8 },
      perChannel: weights.granularity === 'channel',
      clip: weights.clip,
      activations: { bits: activations.bits, signed: activations.signed, symmetric: activations.symmetric },
      observer: activations.observer,
      outputs: options.outputs,
      storage: options.storage,
      leftOut: leftOutBy(options),
    });
  },
});

function compressorOf(chosen: Omit<StaticSettings, 'rules' | 'fused'>): Compressor {
  const { weights, activations, target } = chosen;
  const wide = activations.bits > 8 || weights.bits <= 4 || activations.bits <= 4;
  const opset = wide ? 21 : 13;
  checkOpset(target, opset, 'quantizer static');
  const codes = [
    codesOn(target, weights, { where: 'quantizer static.weights', of: 'weights' }),
    codesOn(target, activations, { where: 'quantizer static.activations', of: 'activations' }),
  ];
  const fused = codes.every((each) => each.fused);
  return (given, { axes: rules = new Map() } = {}) => {
    const settings: StaticSettings = { ...chosen, rules, fused };
    const prepared = prepareGraph(given, { opset });
    const { graph, turned } = settleWeights(prepared.graph);
    const candidates = findUnits(graph, settings);
    const masks = maskedValues(graph);
    const plan = planStatic(graph, { candidates, settings, unusable: masks });
    const roots = new Set([...plan.values.values()].filter((value) => !plan.fixed.has(value)));
    return {
      graph,
      needs: [...roots].map((value) => needOf(value, settings)),
      apply(evidence) {
        const rangeSeen = (value: ValueId) => seenOf(value, settings, evidence)?.range;
        const usable = usablePlan(plan, rangeSeen, (found) =>
          planStatic(graph, { candidates, settings, unusable: new Set([...masks, ...found]) }),
        );
        const own = staticNotes(graph, usable, settings);
        const changes = usable.units.size > 0 || own.some((note) => note.details?.storedBits !== undefined);
        const rangeOf = (value: ValueId): Range => {
          const seen = seenOf(value, settings, evidence);
          if (!seen) throw evidenceMissing(value, settings.observer.bins > 0 ? 'histogram' : 'range');
          return settings.observer.range(seen, settings.activations);
        };
        const written = changes ? writeStatic(graph, { plan: usable, settings, turned, rangeOf }) : graph;
        const whole = quantizeBodies(written, settings, { axes: rules });
        const notes = [...own, ...whole.notes];
        return { graph: whole.graph === graph ? given : prepared.stored(whole.graph), notes };
      },
    };
  };
}

const needOf = (value: ValueId, { observer }: StaticSettings): Need =>
  observer.bins > 0 ? { statistic: 'histogram', value, bins: observer.bins } : { statistic: 'range', value };

function seenOf(value: ValueId, { observer }: StaticSettings, evidence: Evidence) {
  if (observer.bins === 0) {
    const range = evidence.find({ statistic: 'range', value });
    return range && { range };
  }
  const histogram = evidence.find({ statistic: 'histogram', value, bins: observer.bins });
  return histogram && { range: { min: histogram.min, max: histogram.max }, histogram };
}

/**
 * The plan without values whose range is no use: infinite, or as wide as a mask of the lowest float. A plan without
 * them may take the ranges of values further back; those that were not collected are left out in turn.
 */
function usablePlan(
  plan: StaticPlan,
  rangeOf: (value: ValueId) => Range | undefined,
  without: (unusable: ReadonlySet<ValueId>) => StaticPlan,
): StaticPlan {
  const unusable = new Set(unusableValues(plan, rangeOf));
  if (unusable.size === 0) return plan;
  for (let current = without(unusable); ; current = without(unusable)) {
    const before = unusable.size;
    for (const value of unusableValues(current, rangeOf)) unusable.add(value);
    for (const [value, root] of current.values) {
      if (!current.fixed.has(root) && !rangeOf(root)) unusable.add(value);
    }
    if (unusable.size === before) return current;
  }
}

function unusableValues(
  { values, fixed }: StaticPlan,
  rangeOf: (value: ValueId) => Range | undefined,
): ReadonlySet<ValueId> {
  const unusable = new Set<ValueId>();
  for (const [value, root] of values) {
    if (fixed.has(root)) continue;
    const range = rangeOf(root);
    if (range && !(Math.abs(range.min) < 1e30 && Math.abs(range.max) < 1e30)) unusable.add(value);
  }
  return unusable;
}
