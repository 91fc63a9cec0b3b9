import type { Graph, Note } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { closedRecipe } from './closed-recipe.js';
import { currentStep } from './current-step.js';
import type { Recipe } from './recipe.js';
import type { StepContext } from './step.js';
import { stepError } from './step-error.js';
import type { StepName } from './step-kinds.js';
import type { TrainingFacts } from './training-facts.js';

/** The record of one step. */
export interface StepRecord {
  readonly step: StepName;
  readonly use: string;
  readonly seconds: number;
  readonly notes: readonly Note[];
  readonly training?: TrainingFacts;
}

/** The graph that came out, and the account of it. */
export interface StepsRun {
  readonly graph: Graph;
  /** The graph right before the first step that is not a pass: what later graphs are compared with, layer by layer. */
  readonly reference: Graph;
  readonly steps: readonly StepRecord[];
}

/**
 * Runs the steps of a recipe in order and keeps the account of each. Quantizers that are still learned at the end are
 * written as integers (see `closedRecipe`).
 */
export async function runSteps(graph: Graph, given: Recipe, context: StepContext): Promise<StepsRun> {
  const recipe = closedRecipe(given, context.registry);
  let current = graph;
  let reference: Graph | undefined;
  const steps: StepRecord[] = [];
  for (const i of recipe.steps.keys()) {
    const { name, kind, reference: plugin, where, notes: renamed } = currentStep(recipe, i, context.registry);
    const use = typeof plugin === 'string' ? plugin : plugin.use;
    const start = performance.now();
    context.progress(`${name} ${use}`, i / recipe.steps.length);
    if (name !== 'pass') reference ??= inferShapes(current);
    const outcome = await kind
      .run(current, { reference: plugin, where, index: i }, { ...context, original: graph })
      .catch((cause: unknown) => {
        throw stepError(cause, { where, reference: plugin, registry: context.registry });
      });
    current = outcome.graph;
    const { training } = outcome;
    const notes = [...renamed, ...outcome.notes];
    const seconds = (performance.now() - start) / 1000;
    steps.push({ step: name, use, seconds, notes, ...(training ? { training } : {}) });
  }
  return { graph: current, reference: reference ?? inferShapes(graph), steps };
}
