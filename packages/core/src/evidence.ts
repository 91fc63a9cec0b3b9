import type { ValueId } from './graph.js';

/** Smallest and largest value seen. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Counts over equal bins from `min` to `max`. */
export interface Histogram extends Range {
  readonly counts: Float64Array;
}

/** Second moments of the rows that a layer multiplies by its weights. */
export interface Gram {
  /** XᵀX, row-major [size, size], summed over rows. */
  readonly sum: Float64Array;
  readonly size: number;
  /** Number of rows summed. */
  readonly rows: number;
}

/**
 * Statistics that calibration can collect: what is asked and what is answered. Third parties add more by
 * declaration merging, and collectors for them to the calibration driver.
 */
export interface Statistics {
  /** Over all elements of a value, or per index of `axis` (then min and max have one entry each). */
  range: { ask: { value: ValueId }; answer: Range };
  channelRange: { ask: { value: ValueId; axis: number }; answer: { min: Float32Array; max: Float32Array } };
  /** Counts over the range that a first pass found. */
  histogram: { ask: { value: ValueId; bins: number }; answer: Histogram };
  /** Mean and variance per index of `axis`. */
  moments: { ask: { value: ValueId; axis: number }; answer: { mean: Float64Array; variance: Float64Array } };
  /** XᵀX of the input of a Conv, Gemm or MatMul node, columns in the order of its flattened weight. */
  gram: { ask: { node: string; group?: number }; answer: Gram };
}

/** The name of a statistic. */
export type StatisticName = keyof Statistics;

/** One statistic that an algorithm needs. */
export type Need = { [S in StatisticName]: { readonly statistic: S } & Readonly<Statistics[S]['ask']> }[StatisticName];

/** What one calibration run found. */
export interface Evidence {
  /** Number of samples seen; 0 when no data was given. */
  readonly samples: number;
  /** The answer to a need; undefined when it was not collected. */
  find<S extends StatisticName>(
    need: { readonly statistic: S } & Readonly<Statistics[S]['ask']>,
  ): Statistics[S]['answer'] | undefined;
}

/** A text that is equal for equal needs; the key under which evidence is kept. */
export const needKey = (need: { readonly statistic: StatisticName }): string =>
  JSON.stringify(Object.entries(need).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Evidence from answers by `needKey`. */
export const evidenceOf = (answers: ReadonlyMap<string, unknown>, samples: number): Evidence => ({
  samples,
  find: (need) => answers.get(needKey(need)) as never, // keys hold the statistic's name, so the answer is its own
});

/** Evidence of nothing, for algorithms that need none. */
export const noEvidence: Evidence = { samples: 0, find: () => undefined };
