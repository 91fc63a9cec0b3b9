import type {
  CheckpointPlace,
  Dataset,
  Executor,
  Files,
  Graph,
  Kind,
  Options,
  Outcome,
  Reference,
  Registry,
  Tensor,
  TrainingEvent,
} from '@espalier/core';
import type { Recipe } from './recipe.js';
import type { TrainingFacts } from './training-facts.js';

/** Told about progress: what is going on, and the share of it that is done (0 to 1) where known. */
export type Progress = (stage: string, done?: number, message?: string) => void;

/** Batches of feeds by input name, from the beginning each time it is called. */
export type Batches = () => AsyncIterable<ReadonlyMap<string, Tensor>>;

/** The resources that a step may use. */
export interface StepContext {
  readonly registry: Registry;
  readonly executor: Executor;
  /** Batches for statistics, and the same with labels where there are any; absent when no calibration data was given. */
  readonly calibration?: { readonly batches: Batches; readonly labelled?: Batches; readonly samples: number };
  /** Made batches that the model accepts, for ranges where no calibration data was given. */
  readonly made?: () => Promise<Batches | undefined>;
  /** Labelled samples to learn from; absent when no training data was given. */
  readonly training?: Dataset;
  /** Labelled samples to measure on. */
  readonly evaluation?: Dataset;
  /** The model as the recipe began, before any step. */
  readonly original?: Graph;
  /** Where paths in steps lead. */
  readonly files?: Files;
  /** Where steps that take long keep their state, each in a folder of its own below this one. */
  readonly checkpoint?: Omit<CheckpointPlace, 'every'>;
  /** Told what training steps do. */
  readonly trainingEvents?: (event: TrainingEvent) => void;
  /** Ends training after the step that is under way, with a checkpoint where there is a place for one. */
  readonly signal?: AbortSignal;
  readonly seed: number;
  readonly progress: Progress;
}

/** The result of a step, with the figures of its training if there was one. */
export interface StepOutcome extends Outcome {
  readonly training?: TrainingFacts;
}

/** Tables of options, of which one option chooses. */
export interface OptionVariants {
  /** The option that chooses. */
  readonly by: string;
  /** Every table, by the value that chooses it. */
  tables(registry: Registry): ReadonlyMap<string, Options>;
  /** The table that a reference chooses. @throws where there is none, or where it has options of another one. */
  chosen(registry: Registry, step: { readonly reference: Reference; readonly where: string }): Options;
}

/** The options of a driver beside a reference. */
export const driverOptions = (
  { options, variants }: Pick<StepKind, 'options' | 'variants'>,
  registry: Registry,
  step: { readonly reference: Reference; readonly where: string },
): Options => variants?.chosen(registry, step) ?? options;

/** A step as a recipe has it. */
export interface WrittenStep {
  readonly reference: Reference;
  /** Where it stands in the recipe. */
  readonly where: string;
  readonly index: number;
}

/** A kind of step of a recipe: which plugins it names, its own options beside theirs, and how it runs. */
export interface StepKind {
  readonly kind: Kind;
  /** Options of the driver; they stand in `with` beside the plugin's own. */
  readonly options: Options;
  /** Set where one of the driver's options decides which others there are. */
  readonly variants?: OptionVariants;
  /** Finds fault with the recipe that the step stands in. */
  check?(step: { readonly where: string; readonly recipe: Recipe }): void;
  run(graph: Graph, step: WrittenStep, context: StepContext): Promise<StepOutcome>;
}
