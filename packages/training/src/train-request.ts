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

/** A pure change of the weights after each update: what a method demands of them beyond the gradient. */
export type Projection = (weights: Weights, step: number) => Weights;

/** Chooses what to prune: masks for the model's current weights that reach a sparsity. */
export type Prune = (model: Graph, sparsity: number) => Masks | Promise<Masks>;

/** Everything that decides a run. The same request gives the same bytes, on the same runtime and threads. */
export interface TrainRequest {
  /** In inference form; its weights are where training begins. */
  readonly model: Graph;
  readonly training: Dataset;
  /** Measured after epochs; needed for early stopping and best weights. */
  readonly evaluation?: Dataset;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /**
   * Learning-rate schedule by step, counted from 0 over the whole run. Unset options follow from the optimizer's
   * learning rate (0.01 if unset), which falls to 0 at the end of the run. Default: half a cosine.
   */
  readonly learningRate?: Schedule;
  /** Length of the run: passes over the data, or `steps`; neither where `phases` say it. */
  readonly epochs?: number;
  readonly steps?: number;
  readonly batch: number;
  readonly seed: number;
  readonly executor: Executor;
  /** Field with the targets. Default: `label`. */
  readonly target?: string;
  readonly metrics?: readonly Metric[];
  readonly augment?: AugmentOptions;
  /** Globs of parameters that do not change. */
  readonly freeze?: readonly string[];
  /** Which parameters decay, or the factor on the optimizer's weight decay of each. Default: weights alone. */
  readonly decays?: (parameter: string) => boolean | number;
  /** Largest norm of all gradients together; longer ones are scaled down to it. */
  readonly clipNorm?: number;
  /** Kept from the beginning. */
  readonly masks?: Masks;
  readonly project?: Projection;
  /** A model in inference form that a loss such as distillation learns from; it sees the same batches. */
  readonly teacher?: Graph;
  /** Values of the further inputs of a loss, by its names for them, beside those that the teacher gives. */
  readonly lossInputs?: (inputs: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>;
  /** The phases of the run, in order. Default: one phase of ordinary training. */
  readonly phases?: readonly Phase[];
  /** Asked by the phases `prune` and `ramp`. */
  readonly prune?: Prune;
  /** Epochs between two evaluations. Default: 1. The last epoch is always evaluated. */
  readonly evaluateEvery?: number;
  /**
   * Stops after this many evaluations in a row without a better one, and returns the best weights. Where phases prune,
   * evaluations count from the last pruning on.
   */
  readonly patience?: number;
  /** Returns the weights of the best evaluation instead of the last ones; true with `patience`. */
  readonly keepBest?: boolean;
  /** The metric that decides. Default: the first one. */
  readonly monitor?: string;
  readonly checkpoint?: CheckpointPlace;
  readonly events?: (event: TrainingEvent) => void;
  /** Ends the run after the step that is under way, with a checkpoint where there is a place for one. */
  readonly signal?: AbortSignal;
}
