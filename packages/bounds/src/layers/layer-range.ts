import type { Rounding } from '@espalier/core';
import type { GridForm } from '../distributions/expected-quantization-error.js';

/** A layer as numbers: what it multiplies its inputs by, and how those inputs vary together. */
export interface LayerNumbers {
  /** Weight rows, one per output, row-major [rows, size]. */
  readonly weight: Float32Array | Float64Array;
  /** XᵀX of the layer's inputs, summed or averaged over samples, [size, size]. */
  readonly gram: Float64Array;
  /** Weights per input channel (9 for a 3x3 convolution); chunks are cut between channels. Default: 1. */
  readonly kernel?: number;
}

/** Options for examining a layer. */
export interface LayerRangeOptions {
  /** Bit widths to answer for. Default: 2 to 8. */
  readonly bits?: readonly number[];
  /** Integers of a grid: `full` (-8..7), `symmetric` (-7..7), `asymmetric` (any 2ᵇ that reach over 0). */
  readonly form?: GridForm | 'asymmetric';
  /** Whether all rows share a step or each has its own; the step of least squared weight error is taken. */
  readonly granularity?: 'tensor' | 'channel';
  /** Most inputs in one chunk. Default: 36. */
  readonly chunk?: number;
  /** Pairs of a row and a chunk that are examined, spread evenly. Default: 24. */
  readonly samples?: number;
  /** Whether to certify: false gives heuristics alone. */
  readonly bounds?: boolean;
  /** Rounding algorithms by name. Default: the built-in three. Add those of a registry here. */
  readonly roundings?: Readonly<Record<string, Rounding>>;
  /** Most nodes of one exact search for pruning, and 128 times as many (they are cheaper) for quantization. Default: 2000. */
  readonly nodes?: number;
  /** Relative gap at which an exact search may stop: 0.02 unless given. */
  readonly gap?: number;
  /** Milliseconds after which an exact search stops. Results then depend on the machine. Default: no limit. */
  readonly milliseconds?: number;
}

/** The quality of a method on a layer, and the best possible one. */
export interface MethodRange {
  /** Output signal-to-noise ratio that the best heuristic reaches, in decibels. */
  readonly heuristicDb: number;
  /** No algorithm exceeds this; undefined without bounds. 300 where nothing could be proven. */
  readonly boundDb: number | undefined;
  /** Samples whose optimum is known (within the gap) as a share of all. */
  readonly proven: number;
  /** Name of the algorithm that won most samples. */
  readonly method: string;
}

/** Which method loses less at equal compression; `undecided` where the ranges overlap. */
export type LayerVerdict = 'quantization' | 'pruning' | 'undecided';

/** Both methods at one bit width. */
export interface BitRange {
  readonly bits: number;
  /** Share of zeros that saves as much as the bits do: 1 - bits/16. */
  readonly sparsity: number;
  readonly quantization: MethodRange;
  readonly pruning: MethodRange;
  /** The conclusion that holds for all algorithms; `undecided` without bounds. */
  readonly verdict: LayerVerdict;
  /** Which of the two heuristics came out ahead. */
  readonly ahead: 'quantization' | 'pruning';
  /** The verdicts of the single samples. */
  readonly verdicts: Readonly<Record<LayerVerdict, number>>;
}

/** The result of `layerRanges`: signals and errors are summed over the samples, each one row of one chunk. */
export interface LayerRange {
  readonly rows: number;
  readonly size: number;
  /** Inputs in a chunk (the last may have fewer), and how many chunks there are. */
  readonly chunk: number;
  readonly chunks: number;
  /** Pairs of a row and a chunk that were examined. */
  readonly samples: number;
  /** One entry per bit width, in the order asked. */
  readonly bits: readonly BitRange[];
}
