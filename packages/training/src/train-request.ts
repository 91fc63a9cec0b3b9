import type {
  CheckpointPlace,
  Dataset,
  Executor,
  Graph,
  Loss,
  Optimizer,
  Schedule,
  Tensor,
  TrainingEvent,
} from '@espalier/core';
import type { Phase } from '@espalier/schedules';
import type { AugmentOptions } from './augment/augment-options.js';
import type { Masks } from './masks/masked.js';
import type { Metric } from './metrics/metric.js';

/** Tensors by the names they have in the model: parameters, running statistics. */
export type Weights = ReadonlyMap<string, Tensor>;

/** The surroundings of an update. */
export interface Update {
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** The weights before the update: their difference is the direction that the optimizer took. */
  readonly before: Weights;
  /** The memory that the projection returned after the step before; empty at the first step. */
  readonly memory: Weights;
}

/** The result of a projection. */
export interface Projected {
  readonly weights: Weights;
  /** Passed to the next step, and kept in checkpoints. Default: the memory as it was. */
  readonly memory?: Weights;
}

/** A pure change of the weights after each update: what a method demands of them beyond the gradient. */
export interface Projection {
  (weights: Weights, update: Update): Projected;
  /** Tells projections apart: a checkpoint of a run with another key is refused. Default: none. */
  readonly key?: string;
}

/** Chooses what to prune: masks for the model's current weights that reach a sparsity. */
export type Prune = (model: Graph, sparsity: number) => Masks | Promise<Masks>;

/** The data of a run, and how batches are made of it. */
export interface TrainingData {
  readonly training: Dataset;
  /** Measured after epochs; needed for early stopping and best weights. */
  readonly evaluation?: Dataset;
  readonly batch: number;
  /** Field with the targets. Default: `label`. */
  readonly target?: string;
  readonly augment?: AugmentOptions;
}

/** The function that is made small, and the rule by which gradients change weights. */
export interface Objective {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Largest norm of all gradients together; longer ones are scaled down to it. */
  readonly clipNorm?: number;
  /** The factor on the learning rate of quantizer scales. Default: 1. */
  readonly scaleRate?: number;
  /** The strength by which quantized weights are held near the middle of their bins. Default: 0. */
  readonly dampening?: number;
  /** Whether batch norms use the statistics of batches, or keep the running ones as they are. Default: `batch`. */
  readonly batchNorm?: 'batch' | 'running';
  /** Which parameters decay, or the factor on the optimizer's weight decay of each. Default: weights alone. */
  readonly decays?: (parameter: string) => boolean | number;
  /** A model in inference form that a loss such as distillation learns from; it sees the same batches. */
  readonly teacher?: Graph;
  /** Values of the further inputs of a loss, by its names for them, beside those that the teacher gives. */
  readonly lossInputs?: (inputs: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>;
}

/** The length of a run, its phases, and the learning rate by step. */
export interface Course {
  /** Length of the run: passes over the data, or `steps`; neither where `phases` say it. */
  readonly epochs?: number;
  readonly steps?: number;
  /** The phases of the run, in order. Default: one phase of ordinary training. */
  readonly phases?: readonly Phase[];
  /**
   * Learning-rate schedule by step, counted from 0 over the whole run. Unset options follow from the optimizer's
   * learning rate (0.01 if unset), which falls to 0 at the end of the run. Default: half a cosine.
   */
  readonly schedule?: Schedule;
}

/** Limits on the weights: those that stay, and changes beyond the gradient. */
export interface Constraints {
  /** Globs of parameters that do not change. */
  readonly freeze?: readonly string[];
  /** Kept from the beginning. */
  readonly masks?: Masks;
  /** Chooses masks for the phases `prune` and `ramp`. */
  readonly prune?: Prune;
  readonly project?: Projection;
}

/** When a model is measured, and the effect on the run. */
export interface Stopping {
  readonly metrics?: readonly Metric[];
  /** Epochs between two evaluations. Default: 1. The last epoch is always evaluated. */
  readonly evaluateEvery?: number;
  /**
   * Stops after this many evaluations in a row without a better one, and returns the best weights. Where phases prune,
   * evaluations count from the last pruning on.
   */
  readonly patience?: number;
  /** Returns the weights of the best evaluation instead of the last ones. Default: true with `patience`, else false. */
  readonly keepBest?: boolean;
  /** The metric that decides. Default: the first one. */
  readonly monitor?: string;
}

/** Where a run computes and saves, who hears of it, and who may end it. */
export interface Surroundings {
  readonly executor: Executor;
  readonly checkpoint?: CheckpointPlace;
  readonly events?: (event: TrainingEvent) => void;
  /** Ends the run after the step that is under way, with a checkpoint where there is a place for one. */
  readonly signal?: AbortSignal;
}

/**
 * Everything that decides a run: a model and a seed, and the six parts above, written side by side. The same request
 * gives the same bytes, on the same runtime and threads.
 */
export interface TrainRequest extends TrainingData, Objective, Course, Constraints, Stopping, Surroundings {
  /** In inference form; its weights are where training begins. */
  readonly model: Graph;
  readonly seed: number;
}
