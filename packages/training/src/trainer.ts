import type { Dataset, Evidence, Executor, Graph, Need } from '@espalier/core';
import type { CheckpointPlace, Trained } from './train-request.js';
import type { TrainingEvent } from './training-event.js';

/** The context of a trainer, besides the model. */
export interface TrainerContext {
  /** Its fields are the model's inputs and `label`. */
  readonly training: Dataset;
  readonly evaluation?: Dataset;
  readonly executor: Executor;
  readonly seed: number;
  /** A model in inference form for losses that learn from one. */
  readonly teacher?: Graph;
  /** Collects what a pruner needs to know of a model; absent where there is no data for it. */
  readonly evidence?: (graph: Graph, needs: readonly Need[]) => Promise<Evidence>;
  /** Where to keep checkpoints; `every` is the trainer's own to say. */
  readonly checkpoint?: Omit<CheckpointPlace, 'every'>;
  readonly events?: (event: TrainingEvent) => void;
  readonly signal?: AbortSignal;
}

/** Trains a model: a whole procedure with its own settings, under one name. */
export interface Trainer {
  train(graph: Graph, context: TrainerContext): Promise<Trained>;
}

declare module '@espalier/core' {
  interface Kinds {
    trainer: Trainer;
  }
}
