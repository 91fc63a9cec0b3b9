import type { Dataset } from './dataset.js';
import type { Evidence, Need } from './evidence.js';
import type { Executor } from './executor.js';
import type { Files } from './files.js';
import type { Graph } from './graph.js';
import type { Note } from './outcome.js';
import type { Tensor } from './tensor.js';
import type { EpochRecord, Measured, StopReason, TrainingEvent } from './training-event.js';

/** The inputs of a trainer besides the model. */
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
  /** Whether another graph comes out: smaller, or in integers. Default: false, the graph that goes in with other weights. */
  readonly changesGraph?: boolean;
  train(graph: Graph, context: TrainerContext): Promise<Trained>;
}

/** The result of training. */
export interface Trained {
  /** The model it was given, with trained weights. */
  readonly graph: Graph;
  readonly history: readonly EpochRecord[];
  /** Of the weights that are returned; none without evaluation data. */
  readonly metrics?: Measured;
  /** 0 for what is pruned and 1 for what is kept, by parameter. */
  readonly masks: ReadonlyMap<string, Tensor>;
  /** The memory of a projection at the end, by its own names. */
  readonly memory?: ReadonlyMap<string, Tensor>;
  /** Share of zeros in the masks; absent where nothing is masked. */
  readonly sparsity?: number;
  /** Lines for the report. */
  readonly notes?: readonly Note[];
  readonly epochs: number;
  readonly steps: number;
  readonly reason: StopReason;
  /** Of this call alone, without what ran before it was resumed. */
  readonly seconds: number;
  /** Training samples per second of training steps. */
  readonly imagesPerSecond: number;
}

/** Where checkpoints are kept. */
export interface CheckpointPlace {
  readonly files: Files;
  /** The folder of this run alone. */
  readonly folder: string;
  /** Steps between two checkpoints. Default: one at the end of every epoch. */
  readonly every?: number;
  /** Continues from the checkpoint in the folder; begins from the start where there is none. */
  readonly resume?: boolean;
}
