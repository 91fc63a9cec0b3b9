import type { Dataset, Executor, Graph } from '@espalier/core';
import type { CheckpointPlace, Trained } from './train-request.js';
import type { TrainingEvent } from './training-event.js';

/** What a trainer works with besides the model. */
export interface TrainerContext {
  /** Its fields are the model's inputs and `label`. */
  readonly training: Dataset;
  readonly evaluation?: Dataset;
  readonly executor: Executor;
  readonly seed: number;
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
