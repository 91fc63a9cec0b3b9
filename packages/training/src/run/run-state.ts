import type { EpochRecord, Measured, StopReason } from '@espalier/core';
import type { Masks } from '../masks/masked.js';
import type { Weights } from '../train-request.js';

/**
 * Everything a run goes on from: a checkpoint is this and nothing else. Randomness needs no place in it, for every
 * draw is a function of the seed and a position.
 */
export interface RunState {
  /** Steps done. */
  readonly step: number;
  /** Index of the current phase, and the steps done in it. */
  readonly phase: number;
  readonly phaseStep: number;
  /** Parameters and running statistics. */
  readonly weights: Weights;
  /** Tensors that the optimizer keeps, by their own names. */
  readonly optimizer: Weights;
  readonly masks: Masks;
  /** The last target of the plan; 0 before the first. */
  readonly sparsity: number;
  /**
   * Masked parameters with the values that pruned weights had when they were pruned, for them to return with. Kept
   * only where the sparsity falls again later.
   */
  readonly dense: Weights;
  /** The memory of the projection. */
  readonly memory: Weights;
  /** Globs of parameters that do not change. */
  readonly frozen: readonly string[];
  /** Weights that phases kept, by the name they were kept under. */
  readonly kept: ReadonlyMap<string, Weights>;
  readonly best: Best | undefined;
  /** Evaluations since the best one. */
  readonly stale: number;
  /** Of the epoch under way. */
  readonly lossSum: number;
  readonly lossCount: number;
  readonly history: readonly EpochRecord[];
  /** Set when the run is over. */
  readonly stopped: StopReason | undefined;
}

/** The best evaluation so far. */
export interface Best {
  readonly step: number;
  readonly metrics: Measured;
  readonly weights: Weights;
}

/** The state before the first step. */
export const initialState = (weights: Weights, frozen: readonly string[], masks: Masks): RunState => ({
  step: 0,
  phase: 0,
  phaseStep: 0,
  weights,
  optimizer: new Map(),
  masks,
  sparsity: 0,
  dense: new Map(),
  memory: new Map(),
  frozen,
  kept: new Map(),
  best: undefined,
  stale: 0,
  lossSum: 0,
  lossCount: 0,
  history: [],
  stopped: undefined,
});
