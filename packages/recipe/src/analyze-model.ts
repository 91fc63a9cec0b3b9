import {
  type AnalyzeReport,
  analyzeGraph,
  type ReportDrift,
  type ReportFile,
  representationDrift,
} from '@espalier/analysis';
import {
  type AdviceOptions,
  type AdviceRunner,
  builtInRoundings,
  examineLayers,
  type LayersAnalysis,
  sameThread,
  weightTargets,
} from '@espalier/bounds';
import { calibrate } from '@espalier/calibration';
import {
  checkKeys,
  type Executor,
  type Files,
  type Graph,
  instantiate,
  type KeysOf,
  matchNames,
  type Registry,
} from '@espalier/core';
import { axisRulesOf, inferShapes } from '@espalier/ops';
import type { InputRequest } from './input-request.js';
import { batchesFor } from './open-data.js';
import { openModel } from './open-model.js';
import { openSamples, type ReadModel, type Samples } from './open-samples.js';
import type { DataSource } from './recipe.js';
import type { Progress } from './step.js';

/** Judges tensors in other threads, which are to be ended afterwards. */
export type ClosableRunner = AdviceRunner & { close?(): Promise<void> };

/** The question "prune or quantize?" about a model file. */
export interface AnalyzeRequest extends Pick<AdviceOptions, 'bits' | 'granularity'> {
  readonly registry: Registry;
  readonly executor: Executor;
  readonly files: Files;
  /** The path of the model. */
  readonly input: string;
  /** Patterns of names of weights or nodes: only these are analysed. Default: all. */
  readonly layers?: readonly string[];
  /** Whether to run layers on samples, and to add bounds of their errors. Default: false. */
  readonly bounds?: boolean;
  /** The path of a second model, to measure how representations drift from the first. */
  readonly against?: string | undefined;
  /** Samples for bounds and drift. Default: `random:64`, with a warning. */
  readonly data?: string | DataSource | undefined;
  /** The name of the data in the report. */
  readonly dataName?: string | undefined;
  /** Sizes and content of inputs that the user settled. */
  readonly given?: InputRequest | undefined;
  /** The judge of so many weights, other threads for example. Default: the thread of the caller. */
  readonly runner?: (weights: number) => ClosableRunner;
  /** Seed of made samples. Default: 0. */
  readonly seed?: number;
  readonly progress?: Progress;
  /** Names and versions for the report. */
  readonly versions?: Readonly<Record<string, string>>;
}

const standIn = 'random:64';

const keys: KeysOf<AnalyzeRequest> = {
  registry: true,
  executor: true,
  files: true,
  input: true,
  bits: true,
  granularity: true,
  layers: true,
  bounds: true,
  against: true,
  data: true,
  dataName: true,
  given: true,
  runner: true,
  seed: true,
  progress: true,
  versions: true,
};

/**
 * Says for each weight tensor of a model file whether pruning or quantization costs less at each width; on request with
 * errors at the outputs of layers beside bounds, and with the drift of representations to a second model.
 * @throws OPTION_INVALID, and what reading and running throw.
 */
export async function analyzeModel(request: AnalyzeRequest): Promise<AnalyzeReport> {
  checkKeys<AnalyzeRequest>('analyzeModel', request, keys);
  const { registry, files, input: path, progress = () => {}, layers = [], bits, granularity } = request;
  const started = performance.now();
  progress('read');
  const read = async (from: string): Promise<ReadModel> => ({
    ...(await openModel(registry, files, from)),
    path: from,
  });
  const opened = await read(path);
  const other = request.against === undefined ? undefined : await read(request.against);
  const graph = inferShapes(opened.graph);
  const chosen = layers.length === 0 ? () => true : matchNames(layers);
  const choose = ({ weight, node }: { readonly weight: string; readonly node: string }) =>
    chosen(weight) || chosen(node);
  const rules = axisRulesOf(registry);
  const advice = { ...(bits ? { bits } : {}), ...(granularity ? { granularity } : {}) };
  const weights = await withRunner(graph, request, (runner) =>
    analyzeGraph(graph, { ...advice, rules, runner, choose, progress: (done) => progress('weights', done) }),
  );
  const samples = request.bounds || other ? await samplesFor(other ? [opened, other] : [opened], request) : undefined;
  const work = samples && { request, samples, bits: weights.options.bits, choose };
  const examined = request.bounds && work ? await layersOf(graph, work) : null;
  const drift =
    other && work ? { against: fileOf(other), ...(await driftOf([graph, inferShapes(other.graph)], work)) } : null;
  return {
    espalierAnalysis: 1,
    input: fileOf(opened),
    ...weights,
    layers: examined,
    drift,
    warnings: warningsOf(weights.weights.length, samples !== undefined && request.data === undefined),
    versions: request.versions ?? {},
    seed: request.seed ?? 0,
    seconds: (performance.now() - started) / 1000,
  };
}

const fileOf = ({ path, format, bytes }: ReadModel): ReportFile => ({ path, format, bytes });

function samplesFor(
  models: readonly [ReadModel, ...ReadModel[]],
  { registry, executor, files, seed = 0, given, progress = () => {}, data, dataName }: AnalyzeRequest,
): Promise<Samples> {
  const name = dataName ?? (typeof data === 'object' ? undefined : (data ?? standIn));
  return openSamples(models, {
    ...{ registry, executor, files, seed, given, progress, name },
    data: data ?? standIn,
    where: 'data',
  });
}

interface LayerWork {
  readonly request: AnalyzeRequest;
  readonly samples: Samples;
  readonly bits: readonly number[];
  readonly choose: (target: { readonly weight: string; readonly node: string }) => boolean;
}

async function layersOf(graph: Graph, { request, samples, bits, choose }: LayerWork): Promise<LayersAnalysis> {
  const { registry, executor, progress = () => {} } = request;
  // Rounding plugins of third parties compete with the built-in ones, under their own names.
  const further = registry.ids('rounding').map((id) => [id, instantiate(registry.find('rounding', id), {})] as const);
  const { dataset, inputs, fed } = samples;
  const found = await examineLayers(graph, {
    bits,
    choose,
    bounds: true,
    roundings: { ...builtInRoundings(), ...Object.fromEntries(further) },
    collect: (needs) =>
      calibrate(graph, needs, {
        executor,
        batches: batchesFor(dataset, inputs),
        total: dataset.size,
        progress: (done, message) => progress('calibrate', done, message),
      }),
    progress: (done, layer) => progress('bounds', done, layer),
  });
  return { ...found, data: fed.data };
}

async function driftOf(
  [before, after]: readonly [Graph, Graph],
  { request: { executor, progress = () => {} }, samples: { dataset, inputs, fed } }: LayerWork,
): Promise<Omit<ReportDrift, 'against'>> {
  const found = await representationDrift(before, after, {
    executor,
    batches: batchesFor(dataset, inputs)(),
    progress: (done) => progress('drift', done),
  });
  return { ...found, data: fed.data };
}

async function withRunner<T>(
  graph: Graph,
  { runner: open = () => sameThread }: AnalyzeRequest,
  work: (runner: AdviceRunner) => Promise<T>,
): Promise<T> {
  const runner = open(weightTargets(graph).reduce((sum, target) => sum + target.count, 0));
  try {
    return await work(runner);
  } finally {
    await runner.close?.();
  }
}

function warningsOf(tensors: number, madeSamples: boolean): readonly string[] {
  const none = 'No weight of two axes or more was found under these names.';
  const made = `Layers were run on random numbers (${standIn}), since no data was given: with real samples, inputs vary together in other ways, and so will the figures of layers.`;
  return [...(tensors === 0 ? [none] : []), ...(madeSamples ? [made] : [])];
}
