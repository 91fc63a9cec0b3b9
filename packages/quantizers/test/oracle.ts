import { calibrate } from '@espalier/calibration';
import {
  type Compressor,
  type Evidence,
  evidenceOf,
  type Files,
  type Graph,
  joinBytes,
  memoryFiles,
  type Need,
  type Note,
  needKey,
  type Tensor,
} from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { quantizationError } from '../src/quantization-error.js';

/** Tensors by input name. */
export type Feeds = ReadonlyMap<string, Tensor>;

const executor = createOnnxRuntime({ threads: 1 });

/** Runs a graph on onnxruntime. */
export async function run(graph: Graph, feeds: Feeds): Promise<ReadonlyMap<string, Tensor>> {
  const session = await executor.open(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** How often each op stands in the graph as onnxruntime rewrites it. */
export async function fusedOps(graph: Graph): Promise<Readonly<Record<string, number>>> {
  const files: Files = memoryFiles(new Map([['m.onnx', joinBytes(encodeOnnx(graph))]]));
  const rewritten = await executor.optimized!({ files, path: 'm.onnx' });
  const counts: Record<string, number> = {};
  for (const { op } of rewritten.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

/** What was quantized, on which data, and how it compares. */
export interface Comparison {
  readonly graph: Graph;
  readonly notes: readonly Note[];
  /** Signal to noise of each output against float, in decibels. */
  readonly snrDb: ReadonlyMap<string, number>;
  /** Bytes of the file against those of the float file. */
  readonly bytes: number;
}

/** Calibrates on the feeds, quantizes, runs both and compares. */
export async function compare(graph: Graph, quantizer: Compressor, feeds: readonly Feeds[]): Promise<Comparison> {
  const plan = quantizer(graph);
  const evidence = await evidenceFor(plan.graph, plan.needs, feeds);
  const { graph: quantized, notes } = plan.apply(evidence);
  const [reference, other] = [await run(graph, feeds[0]!), await run(quantized, feeds[0]!)];
  const snrDb = new Map(
    [...reference].map(([name, tensor]) => [name, quantizationError(tensor, other.get(name)!).snrDb] as const),
  );
  const size = (each: Graph) => encodeOnnx(each).reduce((sum, chunk) => sum + chunk.length, 0);
  return { graph: quantized, notes, snrDb, bytes: size(quantized) / size(graph) };
}

/** A comparison, and the ops that onnxruntime makes of the result. */
export interface Trial extends Comparison {
  readonly ops: Readonly<Record<string, number>>;
}

/** `compare`, then looks at what the runtime fused. */
export async function tryOut(graph: Graph, quantizer: Compressor, feeds: readonly Feeds[]): Promise<Trial> {
  const comparison = await compare(graph, quantizer, feeds);
  return { ...comparison, ops: await fusedOps(comparison.graph) };
}

/** What calibration finds on the feeds. */
export const evidenceFor = (graph: Graph, needs: readonly Need[], feeds: readonly Feeds[]): Promise<Evidence> =>
  calibrate(graph, needs, {
    executor,
    async *batches() {
      yield* feeds;
    },
  });

/** The same made-up range for everything a quantizer asks. */
export const sameRange = (needs: readonly Need[], min: number, max: number): Evidence =>
  evidenceOf(
    new Map(
      needs.map((need) => [
        needKey(need),
        { min, max, ...(need.statistic === 'histogram' ? { counts: new Float64Array(need.bins).fill(1) } : {}) },
      ]),
    ),
    1,
  );
