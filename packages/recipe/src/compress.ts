import { type CompressReport, compressedSizes, costSummary, costsOf, reportLayers } from '@espalier/analysis';
import {
  type Dataset,
  type Executor,
  type Files,
  type Graph,
  instantiate,
  type Note,
  type Port,
  type Registry,
  readReference,
  resolveReference,
} from '@espalier/core';
import { inferShapes } from '@espalier/passes';
import { batchesFor, openData } from './open-data.js';
import { type OpenedModel, openModel } from './open-model.js';
import { commonPorts, portsOf } from './ports-of.js';
import type { Recipe } from './recipe.js';
import { resolvedRecipe } from './resolved-recipe.js';
import { runSteps, type StepsRun } from './run-steps.js';
import { stageOutput } from './stage-output.js';
import type { Progress } from './step.js';
import { type Verified, verifyOutput } from './verify-output.js';
import { warningsOf } from './warnings-of.js';

/** A compression from file to file. */
export interface CompressRequest {
  readonly recipe: Recipe;
  readonly registry: Registry;
  readonly executor: Executor;
  readonly files: Files;
  /** Path of the model. */
  readonly input: string;
  /** Path of the file to write. */
  readonly output: string;
  /** Names and versions for the report. */
  readonly versions?: Readonly<Record<string, string>>;
  readonly progress?: Progress;
}

/**
 * Runs a recipe on a model file: reads it, runs the steps, writes the result, loads what was written in the target
 * runtime, runs it, compares it with the original, and only then gives it its name. The same recipe, seed and model
 * give the same bytes.
 * @throws EspalierErrors of every stage; nothing is left at `output` then but what was there before.
 */
export async function compress(request: CompressRequest): Promise<CompressReport> {
  const { recipe, registry, executor, files, progress = () => {} } = request;
  progress('read');
  const model = await openModel(registry, files, request.input);
  const inputs = portsOf(model.graph);
  const seed = recipe.seed ?? 0;
  const data = await openAll(request, inputs, seed);
  const run = await runSteps(model.graph, recipe, {
    registry,
    executor,
    seed,
    progress,
    ...(data.calibration
      ? { calibration: { batches: batchesFor(data.calibration, inputs), samples: data.calibration.size } }
      : {}),
  });
  progress('write');
  const exporter = resolveReference(registry, { kind: 'export', reference: recipe.export ?? 'onnx', where: 'export' });
  const staged = await stageOutput(withoutInferredTypes(run.graph), { exporter, files, path: request.output });
  try {
    const bytes = await bytesOf(model, files, request.input);
    const typed = inferShapes(run.graph);
    const verified = await verifyOutput({
      executor,
      original: { graph: model.graph, file: { files, path: request.input }, bytes },
      reference: run.reference,
      output: { graph: typed, file: { files, path: staged.path }, bytes: staged.bytes },
      inputs: commonPorts(inputs, portsOf(typed)),
      samples: data.evaluation ?? data.calibration ?? data.made,
      evaluation: data.evaluation,
      notes: run.steps.flatMap(({ notes }) => notes),
      progress,
    });
    const report = await reportOf(request, { model, bytes, run, typed, staged, verified, seed });
    await staged.accept();
    return report;
  } finally {
    await staged.discard();
  }
}

interface OpenedData {
  readonly calibration?: Dataset;
  readonly evaluation?: Dataset;
  /** Random inputs, for comparing outputs where no data was given. */
  readonly made: Dataset;
}

async function openAll(
  { recipe, registry, files, progress = () => {} }: CompressRequest,
  inputs: readonly Port[],
  seed: number,
): Promise<OpenedData> {
  const open = (role: 'calibration' | 'evaluation', source: NonNullable<Recipe['data']>[typeof role]) =>
    source === undefined
      ? undefined
      : openData(source, { registry, files, inputs, seed, where: `data.${role}`, progress });
  const calibration = await open('calibration', recipe.data?.calibration);
  const evaluation = await open('evaluation', recipe.data?.evaluation);
  const random = instantiate(registry.find('dataset', 'random'), { take: 8 });
  return {
    ...(calibration ? { calibration } : {}),
    ...(evaluation ? { evaluation } : {}),
    made: await random({ files, inputs, seed }),
  };
}

/** The graph with the types of its inputs and outputs alone: runtimes infer the others, which would cost a few percent of a small file. */
function withoutInferredTypes(graph: Graph): Graph {
  const kept = new Set([...graph.inputs, ...graph.outputs]);
  return { ...graph, values: new Map([...graph.values].filter(([value]) => kept.has(value))) };
}

/** Bytes of a model with its external data: what the constants take where that is more than the file itself. */
async function bytesOf({ graph, bytes }: OpenedModel, files: Files, path: string): Promise<number> {
  const beside = await files.size(`${path}.data`);
  const constants = [...graph.constants.values()].reduce(
    (sum, { data }) => sum + ('byteLength' in data ? data.byteLength : 0),
    0,
  );
  return constants > bytes ? bytes + (beside ?? constants) : bytes;
}

interface Results {
  readonly model: OpenedModel;
  readonly bytes: number;
  readonly run: StepsRun;
  readonly typed: Graph;
  readonly staged: { readonly path: string; readonly bytes: number };
  readonly verified: Verified;
  readonly seed: number;
}

const largest = 300_000_000; // bytes of constants beyond which sizes under gzip are left out: they take minutes

async function reportOf(request: CompressRequest, results: Results): Promise<CompressReport> {
  const { recipe, registry, versions = {} } = request;
  const { model, bytes, run, typed, staged, verified, seed } = results;
  const costs = { before: costsOf(run.reference), after: costsOf(typed) };
  const original = costsOf(inferShapes(model.graph));
  const notes: readonly Note[] = run.steps.flatMap((step) => step.notes);
  const { errors } = verified;
  const report: CompressReport = {
    espalierReport: 1,
    input: { path: request.input, format: model.format, bytes },
    output: { path: request.output, format: readReference(recipe.export ?? 'onnx', 'export').use, bytes: staged.bytes },
    steps: run.steps,
    costs: { before: costSummary(original), after: costSummary(costs.after) },
    sizes:
      costs.before.bytes > largest
        ? null
        : { before: await compressedSizes(model.graph), after: await compressedSizes(run.graph) },
    layers: reportLayers(run.reference, typed, { costs, ...(errors ? { errors } : {}) }),
    comparison: verified.comparison,
    metrics: verified.metrics,
    latency: verified.comparison.latency ? { ...verified.comparison.latency, runtime: verified.runtime } : null,
    coverage: verified.coverage,
    warnings: [],
    recipe: resolvedRecipe(recipe, registry),
    versions: { ...versions, runtime: verified.runtime },
    seed,
  };
  return { ...report, warnings: warningsOf(report, { notes, errors: errors !== undefined }) };
}
