import type { AxisRules } from './axis-rule.js';
import type { Evidence, Need } from './evidence.js';
import type { Executor } from './executor.js';
import type { Graph } from './graph.js';
import type { Outcome } from './outcome.js';
import type { Tensor } from './tensor.js';

/** Facts about the run that a compressor may use, besides the graph. */
export interface CompressorContext {
  /** Axis rules of custom ops. Default: the built-in rules alone. */
  readonly axes?: AxisRules;
  /** Whether there will be calibration data to collect evidence from. Default: true. */
  readonly data?: boolean;
}

/**
 * Analyses a graph once, states the evidence it needs, then compresses the graph.
 *
 *     const { graph, needs, apply } = compressor(inferShapes(model));
 *     const { graph: small, notes } = apply(await calibrate(graph, needs, ...));
 */
export type Compressor = (graph: Graph, context?: CompressorContext) => Compression;

/** A plan for one graph. It keeps its findings, so nothing is looked up again. */
export interface Compression {
  /** The graph that the needs refer to: the given graph, or a prepared form of it. */
  readonly graph: Graph;
  /** The statistics that calibration must collect; none for compressors that need no data. */
  readonly needs: readonly Need[];
  /** Carries the plan out. @throws where evidence is missing that the plan needs. */
  apply(evidence: Evidence): Compressed;
}

/** The graph that came out, and what can still be done for it. */
export interface Compressed extends Outcome {
  /** Refits the compressed graph to the outputs of the original, on unlabelled data; absent if there is nothing to fit. */
  refine?(run: RefineRun): Promise<Outcome>;
}

/** Data and a runtime to refine a compressed graph with. */
export interface RefineRun {
  readonly executor: Executor;
  /** Batches of feeds by input name, from the beginning each time it is called. */
  batches(): AsyncIterable<ReadonlyMap<string, Tensor>>;
  /** Number of samples, where it is known: progress is a share of it. */
  readonly total?: number;
  readonly progress?: (done: number, message: string) => void;
}
