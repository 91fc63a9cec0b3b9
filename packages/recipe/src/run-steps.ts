import type { Graph, Note, Reference } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import type { Recipe } from './recipe.js';
import type { StepContext } from './step.js';
import { stepError } from './step-error.js';
import { type StepName, stepKinds } from './step-kinds.js';
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

/** Runs the steps of a recipe in order and keeps the account of each. */
export async function runSteps(graph: Graph, recipe: Recipe, context: StepContext): Promise<StepsRun> {
  let current = graph;
  let reference: Graph | undefined;
  const steps: StepRecord[] = [];
  for (const [i, written] of recipe.steps.entries()) {
    const [name, plugin] = Object.entries(written)[0] as [StepName, Reference]; // checkRecipe made sure of exactly one known key
    const use = typeof plugin === 'string' ? plugin : plugin.use;
    const start = performance.now();
    context.progress(`${name} ${use}`, i / recipe.steps.length);
    if (name !== 'pass') reference ??= inferShapes(current);
    const where = `steps[${i}].${name}`;
    const outcome = await stepKinds[name]
      .run(current, { reference: plugin, where, index: i }, { ...context, original: graph })
      .catch((cause: unknown) => {
        throw stepError(cause, { where, reference: plugin, registry: context.registry });
      });
    current = outcome.graph;
    const { notes, training } = outcome;
    const seconds = (performance.now() - start) / 1000;
    steps.push({ step: name, use, seconds, notes, ...(training ? { training } : {}) });
  }
  return { graph: current, reference: reference ?? inferShapes(graph), steps };
}
