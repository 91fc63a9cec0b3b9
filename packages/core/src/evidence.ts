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

/** Second moments of a layer's rows X, and how they go with rows Y of another value. */
export interface Regression extends Gram {
  /** YᵀX, row-major [outputs, size]. */
  readonly cross: Float64Array;
  /** Xᵀ1, the sum of each column. */
  readonly inputs: Float64Array;
  /** Yᵀ1. */
  readonly outputs: Float64Array;
  /** The sum of the squares of each column of Y. */
  readonly squares: Float64Array;
}

/** The distance of one value from another. */
export interface Change {
  /** Mean cosine of the vectors along an axis. */
  readonly cosine: number;
  /** |after - before|² / |before|². */
  readonly relative: number;
}

/** A measure of a value per index of an axis: the mean of |x|, the mean of x², or the share of zeros. */
export type Activity = 'mean' | 'square' | 'zeros';

/**
 * Sums of a value times its gradient, per index of an axis: to first order, what the loss loses when the index is
 * set to zero, with the sign turned. A row is a sample (whose own loss it is of) or, for constants, a batch (whose mean
 * loss it is of).
 */
export interface Contributions {
  /** Row-major [rows, size]. */
  readonly sums: Float32Array;
  readonly size: number;
  /** The number of samples behind each row. */
  readonly samples: Float64Array;
}

/**
 * Statistics that calibration can collect: what is asked and what is answered. Third parties add more by declaration
 * merging. A plugin of kind `statistic` collects them in recipes; in code, `calibrate` takes `collectors`.
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
  /**
   * The same beside a value of the shape of the node's output: sums that least squares need. The rows of Y are the
   * outputs of the node's group.
   */
  regression: { ask: { node: string; target: ValueId; group?: number }; answer: Regression };
  /** Between two values of one shape, over vectors along `axis`. */
  change: { ask: { before: ValueId; after: ValueId; axis: number }; answer: Change };
  /** Per index of `axis`: the mean of |x|, the mean of x², or the share of exact zeros. */
  activity: { ask: { value: ValueId; axis: number; measure: Activity }; answer: Float64Array };
  /**
   * Of a constant: the mean over samples of the gradient of the loss (power 1), or of the squares of each batch's
   * gradient (power 2), by element. Squares depend on how the data is cut into batches.
   */
  gradient: { ask: { value: ValueId; power: 1 | 2 }; answer: Float64Array };
  /** Of a constant times its gradient, a row for each batch. */
  weightContribution: { ask: { value: ValueId; axis: number }; answer: Contributions };
  /** Of what a node reads at an input times its gradient there, a row for each sample. */
  inputContribution: { ask: { node: string; slot: number; axis: number }; answer: Contributions };
}

/** The name of a statistic. */
export type StatisticName = keyof Statistics;

/** One statistic that an algorithm needs. */
export type Need = { [S in StatisticName]: { readonly statistic: S } & Readonly<Statistics[S]['ask']> }[StatisticName];

/** The statistics that one calibration run collected. */
export interface Evidence {
  /** Number of samples seen; 0 when no data was given. */
  readonly samples: number;
  /** The target of the loss if gradients were collected: labels, or the model's own predicted classes. */
  readonly target?: 'labels' | 'predictions';
  /** The answer to a need; undefined when it was not collected. */
  find<S extends StatisticName>(
    need: { readonly statistic: S } & Readonly<Statistics[S]['ask']>,
  ): Statistics[S]['answer'] | undefined;
}

/** A text that is equal for equal needs; the key under which evidence is kept. */
export const needKey = (need: { readonly statistic: StatisticName }): string =>
  JSON.stringify(Object.entries(need).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Evidence from answers by `needKey`. */
export const evidenceOf = (
  answers: ReadonlyMap<string, unknown>,
  samples: number,
  target?: Evidence['target'],
): Evidence => ({
  samples,
  ...(target ? { target } : {}),
  find: (need) => answers.get(needKey(need)) as never, // keys hold the statistic's name, so the answer is its own
});

/** Evidence of nothing, for algorithms that need none. */
export const noEvidence: Evidence = { samples: 0, find: () => undefined };
