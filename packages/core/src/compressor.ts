import type { AxisRules } from './axis-rule.js';
import type { Evidence, Need } from './evidence.js';
import type { Executor } from './executor.js';
import type { Graph } from './graph.js';
import type { Outcome } from './kinds.js';
import type { Tensor } from './tensor.js';

/** What a compressor may know of the run besides the graph. */
export interface CompressorContext {
  /** How the axes of custom ops relate. Default: the built-in rules alone. */
  readonly axes?: AxisRules;
  /** Whether there will be calibration data to collect evidence from. Default: true. */
  readonly data?: boolean;
}

/**
 * Looks at a graph once, says what it must know, then does it.
 *
 *     const { graph, needs, apply } = compressor(inferShapes(model));
 *     const { graph: small, notes } = apply(await calibrate(graph, needs, ...));
 */
export type Compressor = (graph: Graph, context?: CompressorContext) => Compression;

/** A plan for one graph. It holds all that was found, so nothing is looked up again. */
export interface Compression {
  /** The graph that the needs speak of: the one given, or a prepared form of it. */
  readonly graph: Graph;
  /** What calibration must collect; none for compressors that need no data. */
  readonly needs: readonly Need[];
  /** Carries the plan out. @throws where evidence is missing that the plan needs. */
  apply(evidence: Evidence): Compressed;
}

/** The graph that came out, and what can still be done for it. */
export interface Compressed extends Outcome {
  /** Fits what is left to what the network computed before, on unlabelled data; absent where there is nothing to fit. */
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
