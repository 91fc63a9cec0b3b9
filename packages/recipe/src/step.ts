import type { Executor, Graph, Kind, Options, Outcome, Reference, Registry, Tensor } from '@espalier/core';

/** Told about progress: what is going on, and the share of it that is done (0 to 1) where known. */
export type Progress = (stage: string, done?: number, message?: string) => void;

/** Batches of feeds by input name, from the beginning each time it is called. */
export type Batches = () => AsyncIterable<ReadonlyMap<string, Tensor>>;

/** What a step may use. */
export interface StepContext {
  readonly registry: Registry;
  readonly executor: Executor;
  /** Unlabelled batches for statistics; absent when no calibration data was given. */
  readonly calibration?: { readonly batches: Batches; readonly samples: number };
  readonly seed: number;
  readonly progress: Progress;
}

/** A kind of step of a recipe: which plugins it names, its own options beside theirs, and how it runs. */
export interface StepKind {
  readonly kind: Kind;
  /** Options of the driver; they stand in `with` beside the plugin's own. */
  readonly options: Options;
  run(
    graph: Graph,
    step: { readonly reference: Reference; readonly where: string },
    context: StepContext,
  ): Promise<Outcome>;
}
