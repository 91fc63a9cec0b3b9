import { type ClassifierMetrics, evaluateSession } from '@espalier/analysis';
import {
  checkKeys,
  type Dataset,
  type Graph,
  isInteger,
  type KeysOf,
  type Reference,
  readReference,
  resolveReference,
} from '@espalier/core';
import { checkOutput } from './check-output.js';
import { checkSteps } from './check-steps.js';
import { badValue } from './errors.js';
import { portsOf } from './model-ports.js';
import { openAnyModel } from './open-any-model.js';
import { batchesFor } from './open-data.js';
import { openRecipeData } from './open-recipe-data.js';
import { openSession } from './open-session.js';
import { resolvedRecipe } from './resolved-recipe.js';
import { runSteps, type StepRecord } from './run-steps.js';
import { stageOutput } from './stage-output.js';
import { type RunRequest, stepContext } from './step-context.js';
import type { TrainingFacts } from './training-facts.js';
import { withoutInferredTypes } from './without-inferred-types.js';

/** A training from a recipe to a model file. */
export interface TrainModelRequest extends RunRequest {
  /** In place of the recipe's model. */
  readonly model?: Reference;
  /** Path of the file to write. */
  readonly output: string;
  /** Whether the run's own input and a write-protected file may be replaced. */
  readonly force?: boolean;
}

/** The report of a training. */
export interface TrainingReport {
  readonly espalierTraining: 1;
  readonly input: Reference;
  readonly output: { readonly path: string; readonly format: string; readonly bytes: number };
  /** Over all training steps of the recipe. */
  readonly epochs: number;
  readonly steps: number;
  /** Of training in this run, without what ran before it was resumed. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Of the written file in the runtime; null without evaluation data. */
  readonly metrics: ClassifierMetrics | Readonly<Record<string, number>> | null;
  /** Of the model file as it was; null for an architecture without training. */
  readonly metricsBefore: ClassifierMetrics | null;
  /** Every step of the recipe, those that train with their history. */
  readonly ran: readonly StepRecord[];
  readonly recipe: unknown;
  readonly seed: number;
  readonly executor: string;
}

const keys: KeysOf<TrainModelRequest> = {
  model: true,
  output: true,
  force: true,
  recipe: true,
  registry: true,
  executor: true,
  files: true,
  checkpoint: true,
  signal: true,
  progress: true,
  events: true,
};

/**
 * Runs a recipe whose result is a trained model: opens the model, runs the steps, writes the result, loads what was
 * written in the target runtime, measures it, and only then gives it its name.
 * @throws RECIPE_INVALID without a model or a training step, and EspalierErrors of every stage.
 */
export async function trainModel(request: TrainModelRequest): Promise<TrainingReport> {
  checkKeys<TrainModelRequest>('trainModel', request, keys);
  const { recipe, registry, executor, files, progress = () => {} } = request;
  const input = request.model ?? recipe.model;
  if (input === undefined) throw badValue('recipe.model', 'a file or an architecture to train', input);
  if (!recipe.steps.some((step) => 'train' in step)) throw badValue('recipe.steps', 'a step that trains', recipe.steps);
  checkSteps(recipe, registry);
  const exporter = resolveReference(registry, { kind: 'export', reference: recipe.export ?? 'onnx', where: 'export' });
  const read = typeof input === 'string' ? [input] : [];
  await checkOutput({ files, inputs: read, output: request.output, exporter, force: request.force ?? false });
  const seed = recipe.seed ?? 0;
  progress('read');
  const model = await openAnyModel(input, { registry, files, seed, where: 'model' });
  const inputs = portsOf(model.graph);
  const data = await openRecipeData(request, { inputs });
  const metricsBefore =
    model.file && typeof input === 'string'
      ? await measured(model.graph, input, { request, evaluation: data.evaluation })
      : null;
  const run = await runSteps(model.graph, recipe, stepContext(request, data, inputs));
  progress('write');
  const staged = await stageOutput(withoutInferredTypes(run.graph), { exporter, files, path: request.output });
  try {
    const metrics = await measured(run.graph, staged.path, { request, evaluation: data.evaluation });
    await staged.accept();
    const facts = run.steps.flatMap(({ training }) => (training ? [training] : []));
    return {
      espalierTraining: 1,
      input,
      output: {
        path: request.output,
        format: readReference(recipe.export ?? 'onnx', 'export').use,
        bytes: staged.bytes,
      },
      ...totals(facts),
      metrics: metrics ?? facts.at(-1)?.metrics ?? null,
      metricsBefore,
      ran: run.steps,
      recipe: resolvedRecipe(recipe, registry),
      seed,
      executor: await executor.describe(),
    };
  } finally {
    await staged.discard();
  }
}

/** Accuracy and loss of a written file; it is loaded even where there is nothing to measure it on. */
async function measured(
  graph: Graph,
  path: string,
  { request, evaluation }: { readonly request: TrainModelRequest; readonly evaluation: Dataset | undefined },
): Promise<ClassifierMetrics | null> {
  const { executor, files, progress = () => {} } = request;
  progress('evaluate');
  const session = await openSession(executor, { graph, file: { files, path } });
  try {
    const label = evaluation?.fields.get('label');
    if (!evaluation || !label || !isInteger(label.dtype)) return null;
    const batches = batchesFor(evaluation, portsOf(graph), { batch: 64, labels: true });
    const found = await evaluateSession(session, batches(), {
      progress: (done) => progress('evaluate', done / evaluation.size),
    });
    return found.metrics;
  } finally {
    await session.close();
  }
}

function totals(
  facts: readonly TrainingFacts[],
): Pick<TrainingReport, 'epochs' | 'steps' | 'seconds' | 'imagesPerSecond'> {
  const sum = (of: (each: TrainingFacts) => number) => facts.reduce((total, each) => total + of(each), 0);
  const steps = sum((each) => each.steps);
  return {
    epochs: sum((each) => each.epochs),
    steps,
    seconds: sum((each) => each.seconds),
    // Steps weigh by their number: each rate is samples per second of its own training.
    imagesPerSecond: steps > 0 ? sum((each) => each.imagesPerSecond * each.steps) / steps : 0,
  };
}
