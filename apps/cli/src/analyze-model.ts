import {
  type AnalyzeReport,
  analyzeGraph,
  type ReportDrift,
  type ReportFile,
  representationDrift,
} from '@espalier/analysis';
import {
  type AdviceGranularity,
  type AdviceRunner,
  adviceBits,
  builtInRoundings,
  examineLayers,
  type LayersAnalysis,
  sameThread,
  weightTargets,
} from '@espalier/bounds';
import { createWorkerRunner } from '@espalier/bounds/node';
import { calibrate } from '@espalier/calibration';
import { type Graph, instantiate, matchNames } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { batchesFor, type OpenedModel, openModel } from '@espalier/recipe';
import type { AnalyzeFlags } from './analyze-flags.js';
import { badFlag, numberFlag } from './flags.js';
import { openSamples, type Samples } from './open-samples.js';
import { version } from './version.js';
import type { Workbench } from './workbench.js';

/** Does what `espalier analyze` asks for and returns the report. @throws FLAG_INVALID, and what reading throws. */
export async function analyzeModel(path: string, flags: AnalyzeFlags, bench: Workbench): Promise<AnalyzeReport> {
  const { registry, files, progress, seed } = bench;
  const started = performance.now();
  const [bits, granularity] = [bitsFlag(flags.bits), granularityFlag(flags.granularity)];
  const threads = numberFlag('--threads', flags.threads, { min: 1, max: 256, integer: true });
  progress.show('read');
  const opened = await openModel(registry, files, path);
  const other = flags.against === undefined ? undefined : await openModel(registry, files, flags.against);
  const graph = inferShapes(opened.graph);
  const chosen = flags.layers.length === 0 ? () => true : matchNames(flags.layers);
  const choose = ({ weight, node }: { readonly weight: string; readonly node: string }) =>
    chosen(weight) || chosen(node);
  const weights = await withRunner({ graph, threads }, (runner) =>
    analyzeGraph(graph, { bits, granularity, runner, choose, progress: (done) => progress.show('weights', done) }),
  );
  const models = other ? [graph, inferShapes(other.graph)] : [graph];
  const second = other && flags.against !== undefined ? [{ ...other, path: flags.against }] : [];
  const samples =
    flags.bounds || other ? await openSamples([{ ...opened, path }, ...second], { flags, standIn }, bench) : undefined;
  const layers = flags.bounds && samples ? await layersOf(graph, { bench, samples, bits, choose }) : null;
  const drift =
    other && samples && models[1]
      ? { against: fileOf(flags.against ?? '', other), ...(await driftOf([graph, models[1]], { bench, samples })) }
      : null;
  return {
    espalierAnalysis: 1,
    input: fileOf(path, opened),
    ...weights,
    layers,
    drift,
    warnings: warningsOf(weights.weights.length, { flags, samples }),
    versions: { espalier: version, node: process.versions.node },
    seed,
    seconds: (performance.now() - started) / 1000,
  };
}

const fileOf = (path: string, { format, bytes }: OpenedModel): ReportFile => ({ path, format, bytes });

const standIn = 'random:64';

interface LayerWork {
  readonly bench: Workbench;
  readonly samples: Samples;
  readonly bits: readonly number[];
  readonly choose: (target: { readonly weight: string; readonly node: string }) => boolean;
}

async function layersOf(graph: Graph, { bench, samples, bits, choose }: LayerWork): Promise<LayersAnalysis> {
  const { registry, executor, progress } = bench;
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
        progress: (done, message) => progress.show('calibrate', done, message),
      }),
    progress: (done, layer) => progress.show('bounds', done, layer),
  });
  return { ...found, data: fed.data };
}

async function driftOf(
  [before, after]: readonly [Graph, Graph],
  { bench, samples }: { readonly bench: Workbench; readonly samples: Samples },
): Promise<Omit<ReportDrift, 'against'>> {
  const { dataset, inputs, fed } = samples;
  const found = await representationDrift(before, after, {
    executor: bench.executor,
    batches: batchesFor(dataset, inputs)(),
    progress: (done) => bench.progress.show('drift', done),
  });
  return { ...found, data: fed.data };
}

/** Below so many weights, threads take longer to start than to work. */
const worthThreads = 4e6;

async function withRunner<T>(
  { graph, threads }: { readonly graph: Graph; readonly threads: number | undefined },
  work: (runner: AdviceRunner) => Promise<T>,
): Promise<T> {
  const count = weightTargets(graph).reduce((sum, target) => sum + target.count, 0);
  if (threads === 1 || count < worthThreads) return work(sameThread);
  const runner = createWorkerRunner(threads === undefined ? {} : { threads });
  try {
    return await work(runner);
  } finally {
    await runner.close();
  }
}

function warningsOf(
  tensors: number,
  { flags, samples }: { readonly flags: AnalyzeFlags; readonly samples: Samples | undefined },
): readonly string[] {
  const warnings: string[] = [];
  if (tensors === 0) warnings.push('No weight of two axes or more was found under these names.');
  if (samples && flags.data === undefined) {
    warnings.push(
      `Layers were run on random numbers (${standIn}), since no --data was given: with real samples, inputs vary together in other ways, and so will the figures of layers.`,
    );
  }
  return warnings;
}

/** Reads `2..8`, `4` or `2,4,8`. @throws FLAG_INVALID. */
function bitsFlag(text: string): readonly number[] {
  const [from, to, ...more] = text.split('..').map(Number);
  const listed = text.includes('..')
    ? adviceBits.filter((bits) => bits >= (from ?? 0) && bits <= (to ?? 0))
    : text.split(',').map(Number);
  const inRange = text.includes('..') ? more.length === 0 && [from, to].every(isWidth) : listed.every(isWidth);
  if (!inRange || listed.length === 0) throw badFlag('--bits', 'whole numbers from 2 to 8: 2..8, 4, or 2,4,8', text);
  return listed;
}

const isWidth = (bits: number | undefined): boolean => bits !== undefined && adviceBits.includes(bits);

function granularityFlag(text: string): AdviceGranularity {
  if (text === 'tensor' || text === 'channel' || text === 'group') return text;
  throw badFlag('--granularity', 'tensor, channel or group', text);
}
