import type { Dataset, Executor, Files, Port, Registry } from '@espalier/core';
import { badValue } from './errors.js';
import { hasClasses } from './has-classes.js';
import { batchesFor } from './open-data.js';
import type { RecipeData } from './open-recipe-data.js';
import type { Recipe } from './recipe.js';
import type { Progress, StepContext } from './step.js';

/** The request of a run from file to file, as its steps see it. */
export interface RunRequest {
  readonly recipe: Recipe;
  readonly registry: Registry;
  readonly executor: Executor;
  readonly files: Files;
  /** Where training steps keep their state, each in a folder of its own. */
  readonly checkpoint?: NonNullable<StepContext['checkpoint']>;
  /** Ends training after the step that is under way, with a checkpoint where there is a place for one. */
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Told what training steps do. */
  readonly events?: NonNullable<StepContext['trainingEvents']>;
}

/** The context of steps from a request and its opened data. @throws RECIPE_INVALID for checkpoints of no training. */
export function stepContext(request: RunRequest, data: RecipeData, inputs: readonly Port[]): StepContext {
  const { recipe, registry, executor, files, checkpoint, signal, progress = () => {}, events } = request;
  const { calibration, heldOut: _, ...labelled } = data;
  if (checkpoint && !recipe.steps.some((step) => 'train' in step)) {
    throw badValue('recipe.steps', 'a step that trains, for checkpoints to be kept of', recipe.steps);
  }
  const statistics = (of: Dataset) => ({
    batches: batchesFor(of, inputs),
    ...(hasClasses(of) ? { labelled: batchesFor(of, inputs, { labels: true }) } : {}),
    samples: of.size,
  });
  return {
    registry,
    executor,
    files,
    seed: recipe.seed ?? 0,
    progress,
    ...labelled,
    ...(calibration ? { calibration: statistics(calibration) } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
    ...(events ? { trainingEvents: events } : {}),
  };
}
