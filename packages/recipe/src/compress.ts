import { type CompressReport, compressedSizes, costSummary, costsOf, reportLayers, widthsOf } from '@espalier/analysis';
import {
  checkKeys,
  type Files,
  type KeysOf,
  type Note,
  type Port,
  readReference,
  resolveReference,
} from '@espalier/core';
import { axisRulesOf, inferShapes } from '@espalier/ops';
import { checkOutput } from './check-output.js';
import { checkSteps } from './check-steps.js';
import { drawsNumbers } from './draws-numbers.js';
import { rangesNeedRun } from './errors.js';
import { checkInputRequest, type InputRequest, sizedGraph } from './input-request.js';
import { type MadeData, madeData } from './made-data.js';
import { commonPorts, portsOf } from './model-ports.js';
import { batchesFor } from './open-data.js';
import { type OpenedModel, openModel } from './open-model.js';
import { openOriginal } from './open-original.js';
import { openRecipeData, type RecipeData } from './open-recipe-data.js';
import { resolvedRecipe } from './resolved-recipe.js';
import { runSteps, type StepRecord } from './run-steps.js';
import { type StagedOutput, stageOutput } from './stage-output.js';
import { type RunRequest, stepContext } from './step-context.js';
import { type ComparedGraphs, type Verified, verifyOutput } from './verify-output.js';
import { warningsOf } from './warnings-of.js';
import { withoutInferredTypes } from './without-inferred-types.js';

/** A compression from file to file. */
export interface CompressRequest extends RunRequest {
  /** Path of the model. */
  readonly input: string;
  /** Path of the file to write. */
  readonly output: string;
  /** Whether the run's own input and a write-protected file may be replaced. */
  readonly force?: boolean;
  /** Sizes and content of inputs that the user settled. */
  readonly given?: InputRequest;
  /** Names and versions for the report. */
  readonly versions?: Readonly<Record<string, string>>;
}

const keys: KeysOf<CompressRequest> = {
  input: true,
  output: true,
  force: true,
  given: true,
  versions: true,
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
 * Runs a recipe on a model file: reads it, runs the steps, writes the result, loads what was written in the target
 * runtime, runs it, compares it with the original, and only then gives it its name. The same recipe, seed and model
 * give the same bytes.
 * @throws EspalierErrors of every stage; nothing is left at `output` then but what was there before.
 */
export async function compress(request: CompressRequest): Promise<CompressReport> {
  checkKeys<CompressRequest>('compress', request, keys);
  return (await compressFile(request)).report;
}

/** `compress`, with the paths of all files that were written. */
export async function compressFile(
  request: CompressRequest,
): Promise<{ readonly report: CompressReport; readonly written: readonly string[] }> {
  const { executor, files, progress = () => {} } = request;
  const made = await make(request);
  const { staged, data, bytes } = made;
  try {
    const verified = await verifyOutput({
      executor,
      original: { file: { files, path: request.input }, bytes },
      output: { file: { files, path: staged.path }, bytes: staged.bytes },
      graphs: made.graphs,
      inputs: made.inputs,
      samples: data.evaluation ?? data.heldOut ?? data.calibration ?? data.made?.dataset,
      evaluation: data.evaluation,
      notes: made.steps.flatMap(({ notes }) => notes),
      progress,
    });
    const report = reportOf(request, made, verified);
    return { report, written: await staged.accept() };
  } finally {
    await staged.discard();
  }
}

/** The result of the steps, written but not yet verified. */
interface Made {
  readonly staged: StagedOutput;
  /** Bytes of the original, with external data. */
  readonly bytes: number;
  readonly format: string;
  /** Inputs that fit both models. */
  readonly inputs: readonly Port[];
  /** `made` where the recipe names no data to compare on. */
  readonly data: RecipeData & { readonly made?: MadeData };
  readonly steps: readonly StepRecord[];
  readonly costs: CompressReport['costs'];
  readonly sizes: CompressReport['sizes'];
  /** Whether the model draws random numbers. */
  readonly random: boolean;
  /** Absent for large models, whose weights must not stay in memory while the runtime holds both files. */
  readonly graphs: ComparedGraphs | undefined;
  /** Costs and weights by layer; the errors of outputs come later, where the graphs are kept. */
  readonly layers: CompressReport['layers'];
}

const largest = 300_000_000; // bytes of constants beyond which gzip takes minutes and a second copy of the weights hurts

async function make(request: CompressRequest): Promise<Made> {
  const { recipe, registry, executor, files, progress = () => {} } = request;
  checkSteps(recipe, registry);
  const exporter = resolveReference(registry, { kind: 'export', reference: recipe.export ?? 'onnx', where: 'export' });
  const force = request.force ?? false;
  await checkOutput({ files, inputs: [request.input], output: request.output, exporter, force });
  progress('read');
  const model = await openModel(registry, files, request.input);
  const { given: settled } = request;
  if (settled) checkInputRequest([model.graph], settled);
  const sized = settled ? sizedGraph(model.graph, settled) : model.graph;
  const inputs = portsOf(sized);
  const seed = recipe.seed ?? 0;
  const file = { files, path: request.input };
  const source = {
    graph: inferShapes(sized),
    open: async () => (await openOriginal(executor, { graph: model.graph, file })).session,
  };
  const given = await openRecipeData(request, {
    inputs,
    model: source,
    holdOut: true,
    ...(settled ? { settled } : {}),
  });
  const named = given.evaluation ?? given.calibration;
  const making = { registry, files, inputs, model: source, ...(settled ? { settled } : {}) };
  const made = named ? undefined : await madeData({ ...making, seed, take: 8 });
  const data = { ...given, ...(made ? { made } : {}) };
  // Other samples than those that the models are compared on.
  const ranges = async () => {
    const { dataset, reason } = await madeData({ ...making, seed: seed + 1, take: 32 });
    if (!dataset) throw rangesNeedRun(reason);
    return batchesFor(dataset, inputs);
  };
  const run = await runSteps(model.graph, recipe, { ...stepContext(request, given, inputs), made: ranges });
  progress('write');
  const staged = await stageOutput(withoutInferredTypes(run.graph), { exporter, files, path: request.output });
  progress('account');
  const output = inferShapes(run.graph);
  const rules = axisRulesOf(registry);
  const costs = { before: costsOf(run.reference, { rules }), after: costsOf(output, { rules }) };
  const large = costs.before.bytes > largest;
  return {
    staged,
    bytes: await bytesOf(model, files, request.input),
    format: model.format,
    inputs: commonPorts(inputs, portsOf(output)),
    data,
    steps: run.steps,
    costs: { before: costSummary(costsOf(inferShapes(model.graph), { rules })), after: costSummary(costs.after) },
    sizes: large ? null : { before: await compressedSizes(model.graph), after: await compressedSizes(run.graph) },
    layers: reportLayers(run.reference, output, { costs }),
    random: drawsNumbers(model.graph),
    graphs: large && executor.openFile ? undefined : { original: model.graph, reference: run.reference, output },
  };
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

/** The data that both models ran on, in words. */
function fedOf({ evaluation, heldOut, calibration, made }: Made['data'], refusal?: string): CompressReport['fed'] {
  if (refusal !== undefined) return { data: null, role: 'none', inputs: [], reason: refusal };
  const named = evaluation ?? heldOut ?? calibration;
  if (named) {
    const role = evaluation ? 'evaluation' : heldOut ? 'held-out' : 'calibration';
    return { data: named.name, role, inputs: named.about ?? [] };
  }
  if (!made?.dataset) return { data: null, role: 'none', inputs: [], ...(made ? { reason: made.reason } : {}) };
  return { data: made.dataset.name, role: 'made', inputs: made.dataset.about ?? [] };
}

function reportOf(request: CompressRequest, made: Made, verified: Verified): CompressReport {
  const { recipe, registry, versions = {} } = request;
  const { errors, comparison } = verified;
  const notes: readonly Note[] = made.steps.flatMap((step) => step.notes);
  const outputs = new Map(errors?.layers.map(({ node, snrDb }) => [node, snrDb]));
  const report: CompressReport = {
    espalierReport: 1,
    input: { path: request.input, format: made.format, bytes: made.bytes },
    output: {
      path: request.output,
      format: readReference(recipe.export ?? 'onnx', 'export').use,
      bytes: made.staged.bytes,
    },
    steps: made.steps,
    costs: made.costs,
    sizes: made.sizes,
    widths: widthsOf(made),
    layers: made.layers.map((layer) => ({ ...layer, snrDb: outputs.get(layer.node) ?? null })),
    comparison,
    fed: fedOf(made.data, verified.refusal),
    metrics: verified.metrics,
    latency: comparison?.latency ? { ...comparison.latency, runtime: verified.runtime } : null,
    coverage: verified.coverage,
    warnings: [],
    recipe: resolvedRecipe(recipe, registry),
    versions: { ...versions, runtime: verified.runtime },
    seed: recipe.seed ?? 0,
  };
  const comparable = errors !== undefined || comparison === null;
  return {
    ...report,
    warnings: warningsOf(report, { notes, errors: comparable, single: verified.single, random: made.random }),
  };
}
