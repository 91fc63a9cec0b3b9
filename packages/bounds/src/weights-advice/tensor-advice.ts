import { badOption } from '@espalier/core';
import { decibels } from '../decibels.js';
import { type GridForm, gridEnds } from '../distributions/expected-quantization-error.js';
import { equalSparsity } from '../distributions/pruning-crossover.js';
import type { ChannelRows } from './channel-rows.js';
import type { CodeStatistics } from './code-statistics.js';
import { type GranularityNoise, granularityNoise } from './granularity-noise.js';
import { magnitudePruningNoise } from './magnitude-pruning-noise.js';
import { weightMoments } from './weight-moments.js';

/** The weights that share a scale: the tensor, an output channel, or a run of `groupSize` weights within one. */
export type AdviceGranularity = 'tensor' | 'channel' | 'group';

/** Options for judging weights. */
export interface AdviceOptions {
  /** Bit widths, 2 to 8. Default: all of them. */
  readonly bits?: readonly number[];
  /** Weights of a channel that share a scale under the granularity `group`. Default: 32. */
  readonly groupSize?: number;
  /** Which integers a grid has. Default: `full` (all 2ᵇ, as the bounds and distributions have it). */
  readonly form?: GridForm;
  /** The granularity that the recommendation is about. Default: `tensor`, as in the paper. */
  readonly granularity?: AdviceGranularity;
}

/** Signal-to-noise ratios of rounding a tensor, and what its codes (least squared error) are like. */
export interface QuantizationFigures extends CodeStatistics {
  /** Range of each scale from its largest magnitude. */
  readonly minmaxDb: number;
  /** Range of least squared error for each scale. */
  readonly mseDb: number;
  /** Bits each weight costs on top for its share of 16-bit scales. */
  readonly scaleBits: number;
}

/** Signal-to-noise ratio of keeping the largest weights in 16 bits. */
export interface PruningFigures {
  /** Share of weights that stay. */
  readonly keep: number;
  readonly snrDb: number;
}

/** Both ways to spend the same number of bits on a tensor. */
export interface BitAdvice {
  readonly bits: number;
  readonly quantization: Readonly<Record<AdviceGranularity, QuantizationFigures>>;
  readonly pruning: {
    /** b/16 of the weights, where they are not counted: compression 16/b. */
    readonly free: PruningFigures;
    /** (b-1)/16 of them, with a bit for each weight to say whether it is there. */
    readonly masked: PruningFigures;
  };
  /** The method that loses less: least-squared-error ranges against pruning with a free mask. */
  readonly prefer: 'quantize' | 'prune';
  /** By how many decibels; never negative. */
  readonly marginDb: number;
}

/** The facts about a weight tensor before compression. */
export interface TensorAdvice {
  readonly count: number;
  readonly channels: number;
  readonly mean: number;
  readonly deviation: number;
  readonly kurtosis: number;
  readonly maxAbs: number;
  /** Share of weights that are zero already. */
  readonly zeros: number;
  readonly bits: readonly BitAdvice[];
}

/** All bit widths that are judged unless some are chosen. */
export const adviceBits: readonly number[] = [2, 3, 4, 5, 6, 7, 8];

/**
 * Rounding against magnitude pruning of one tensor at the same compression: b bits against keeping b/16 of the weights
 * in 16 bits (Kuzmin et al. 2023, arXiv 2307.02973, section 3). Signal-to-noise ratios are those of `snrDb`. For ten
 * thousand normal weights 4 bits give about 19.2 dB and pruning 5.6 dB. Undefined where a weight is NaN or infinite.
 * @throws OPTION_INVALID.
 */
export function tensorAdvice(rows: ChannelRows, options: AdviceOptions = {}): TensorAdvice | undefined {
  const { bits, groupSize, form, granularity } = checkedAdvice(options);
  const { values, channels, size } = rows;
  const moments = weightMoments(values);
  if (!moments.finite) return undefined;
  const grids = bits.map((each) => ({ bits: each, ...gridEnds(each, form) }));
  const groups = { tensor: values.length, channel: size, group: Math.min(groupSize, size) };
  const noise = {
    tensor: granularityNoise({ rows: { values, channels: 1, size: values.length }, group: groups.tensor }, grids),
    channel: granularityNoise({ rows, group: groups.channel }, grids),
    group: granularityNoise({ rows, group: groups.group }, grids),
  };
  const keeps = bits.flatMap((each) => [1 - equalSparsity(each), (each - 1) / 16]);
  const pruned = magnitudePruningNoise(values, keeps);
  const figures = (kind: AdviceGranularity, at: number): QuantizationFigures =>
    quantizationFigures(noise[kind].get(at)!, { energy: moments.energy, scaleBits: 16 / Math.max(1, groups[kind]) });
  return {
    count: moments.count,
    channels,
    mean: moments.mean,
    deviation: Math.sqrt(moments.variance),
    kurtosis: moments.kurtosis,
    maxAbs: moments.maxAbs,
    zeros: zeroShare(values),
    bits: bits.map((each, i) => {
      const quantization = {
        tensor: figures('tensor', each),
        channel: figures('channel', each),
        group: figures('group', each),
      };
      const pruning = {
        free: { keep: keeps[2 * i]!, snrDb: decibels(moments.energy, pruned[2 * i]!) },
        masked: { keep: keeps[2 * i + 1]!, snrDb: decibels(moments.energy, pruned[2 * i + 1]!) },
      };
      const margin = quantization[granularity].mseDb - pruning.free.snrDb;
      return {
        bits: each,
        quantization,
        pruning,
        prefer: margin >= 0 ? 'quantize' : 'prune',
        marginDb: Math.abs(margin),
      };
    }),
  };
}

/** Options with their defaults. @throws OPTION_INVALID. */
export function checkedAdvice({
  bits = adviceBits,
  groupSize = 32,
  form = 'full',
  granularity = 'tensor',
}: AdviceOptions): Required<AdviceOptions> {
  const strange = bits.find((each) => !Number.isInteger(each) || each < 2 || each > 8);
  if (bits.length === 0 || strange !== undefined) {
    throw badOption('bits', { expected: 'whole numbers from 2 to 8', found: strange ?? 'none' });
  }
  if (!Number.isInteger(groupSize) || groupSize < 1) {
    throw badOption('groupSize', { expected: 'a whole number of 1 or more', found: groupSize });
  }
  return { bits: [...new Set(bits)].sort((a, b) => a - b), groupSize, form, granularity };
}

const quantizationFigures = (
  { minmax, mse, codes }: GranularityNoise,
  { energy, scaleBits }: { readonly energy: number; readonly scaleBits: number },
): QuantizationFigures => ({
  minmaxDb: decibels(energy, energy * minmax),
  mseDb: decibels(energy, energy * mse),
  scaleBits,
  ...codes,
});

function zeroShare(values: Float32Array): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return values.length > 0 ? zeros / values.length : 0;
}
