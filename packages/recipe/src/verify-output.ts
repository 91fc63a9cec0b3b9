import {
  type ClassifierMetrics,
  type Comparison,
  type Coverage,
  compareSessions,
  coverageOf,
  evaluateSession,
  type LayerErrors,
  layerErrors,
} from '@espalier/analysis';
import {
  type Dataset,
  EspalierError,
  type Executor,
  type Graph,
  type ModelFile,
  type Note,
  type Port,
  type Session,
} from '@espalier/core';
import { singlePrecision } from '@espalier/passes';
import { batchesFor, feedsWhole } from './open-data.js';
import { isRefusal, openOriginal } from './open-original.js';
import { openSession } from './open-session.js';
import type { Progress } from './step.js';

/** Graphs whose values are compared layer by layer. */
export interface ComparedGraphs {
  readonly original: Graph;
  /** The graph right before the first lossy step: the reference of errors by layer. */
  readonly reference: Graph;
  readonly output: Graph;
}

/** The two models and what to run them on. */
export interface Verification {
  readonly executor: Executor;
  readonly original: { readonly file: ModelFile; readonly bytes: number };
  readonly output: { readonly file: ModelFile; readonly bytes: number };
  /** Absent for large models; then errors by layer are left out. */
  readonly graphs: ComparedGraphs | undefined;
  readonly inputs: readonly Port[];
  /** Samples for the comparison; without any, the written file is loaded and not run. */
  readonly samples: Dataset | undefined;
  /** Labelled samples, where there are any. */
  readonly evaluation: Dataset | undefined;
  readonly notes: readonly Note[];
  readonly progress: Progress;
}

/** The findings from running the written file. */
export interface Verified {
  /** Null where nothing was run. */
  readonly comparison: Comparison | null;
  readonly metrics: { readonly before: ClassifierMetrics | null; readonly after: ClassifierMetrics | null };
  readonly coverage: Coverage | null;
  readonly errors: LayerErrors | undefined;
  readonly runtime: string;
  /** Whether the original was run in float32, as the runtime has no kernels for its type. */
  readonly single: boolean;
  /** Why neither model was run: the runtime lacks an op or a type of the original. */
  readonly refusal?: string;
}

/** Loads the written file in the runtime, runs it, and compares it with the original. @throws what the runtime throws. */
export async function verifyOutput(of: Verification): Promise<Verified> {
  const { executor, original, graphs, progress } = of;
  progress('load');
  const opened = await openOriginal(executor, { graph: graphs?.original, file: original.file }).catch(unlessRefusal);
  if (opened instanceof EspalierError) return notRun(of, opened);
  const { session: before, single } = opened;
  const after = await openResult(of, single);
  try {
    const comparison = await comparisonOf(of, [before, after]);
    const metrics = await metricsOf(of, [before, after]);
    return {
      comparison,
      metrics,
      coverage: await coverage(of),
      errors: await errorsOf(of, single),
      runtime: await executor.describe(),
      single,
    };
  } finally {
    await before.close();
    await after.close();
  }
}

const unlessRefusal = (cause: unknown): EspalierError => {
  if (isRefusal(cause)) return cause;
  throw cause;
};

/** Any failure of the runtime, as there is no telling whose fault it is. */
const failure = (cause: unknown): EspalierError => {
  if (cause instanceof EspalierError && cause.code.startsWith('EXECUTOR_')) return cause;
  throw cause;
};

/** The result: the written file, or its graph in float32 where the original runs so alone. */
async function openResult({ executor, graphs, output }: Verification, single: boolean): Promise<Session> {
  const source = { graph: graphs?.output, file: output.file };
  return single ? (await openOriginal(executor, source)).session : openSession(executor, source);
}

/** The findings where the runtime does not take the original: whether it takes the result is only said. */
async function notRun({ executor, graphs, output }: Verification, refused: EspalierError): Promise<Verified> {
  const session = await openSession(executor, { graph: graphs?.output, file: output.file }).catch(failure);
  const loaded = !(session instanceof EspalierError);
  if (loaded) await session.close();
  return {
    comparison: null,
    metrics: { before: null, after: null },
    coverage: null,
    errors: undefined,
    runtime: await executor.describe(),
    single: false,
    refusal: `the runtime ${loaded ? 'does not take the original' : 'takes neither the original nor the result'}. ${refused.message}`,
  };
}

/** The coverage by the runtime's fused kernels; null where it does not show it, or shows a graph that cannot be read. */
async function coverage({ executor, output, notes }: Verification): Promise<Coverage | null> {
  try {
    return executor.optimized ? coverageOf(await executor.optimized(output.file), notes) : null;
  } catch (cause) {
    if (cause instanceof EspalierError) return null;
    throw cause;
  }
}

const few = 256; // samples of the comparison; accuracy is measured on all

async function comparisonOf(
  { inputs, samples, original, output, progress }: Verification,
  sessions: readonly [Session, Session],
) {
  if (!samples) return null;
  const total = Math.min(few, samples.size);
  const batches = limited(batchesFor(samples, inputs)(), total);
  return compareSessions(...sessions, {
    batches,
    bytes: { a: original.bytes, b: output.bytes },
    progress: (done) => progress('compare', done / total),
  });
}

async function metricsOf({ inputs, evaluation, progress }: Verification, [before, after]: readonly [Session, Session]) {
  if (!evaluation?.fields.has('label')) return { before: null, after: null };
  const batches = batchesFor(evaluation, inputs, { batch: 64, labels: true });
  const measure = async (session: Session, stage: string) =>
    (await evaluateSession(session, batches(), { progress: (done) => progress(stage, done / evaluation.size) }))
      .metrics;
  return { before: await measure(before, 'evaluate the original'), after: await measure(after, 'evaluate the output') };
}

async function errorsOf(
  { executor, graphs, inputs, samples, progress }: Verification,
  single: boolean,
): Promise<LayerErrors | undefined> {
  if (!graphs || !samples) return undefined;
  const batches = batchesFor(samples, inputs)();
  const runnable = (graph: Graph): Graph => (single ? singlePrecision(graph).graph : graph);
  return layerErrors(runnable(graphs.reference), runnable(graphs.output), {
    executor,
    batches,
    whole: feedsWhole(samples, inputs),
    progress: (done) => progress('errors by layer', done),
  });
}

async function* limited<T extends ReadonlyMap<string, { readonly shape: readonly number[] }>>(
  batches: AsyncIterable<T>,
  most: number,
): AsyncGenerator<T> {
  let seen = 0;
  for await (const batch of batches) {
    yield batch;
    seen += [...batch.values()][0]?.shape[0] ?? 1;
    if (seen >= most) return;
  }
}
