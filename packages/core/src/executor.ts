import type { Files } from './files.js';
import type { Graph, ValueInfo } from './graph.js';
import type { Tensor } from './tensor.js';

/** An input or output of a session. */
export interface Port extends ValueInfo {
  readonly name: string;
}

/** A model ready to run. */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs once. Feeds are by input name; `fetch` names the outputs wanted, all when left out. Results are host
   * tensors that the caller owns. @throws EXECUTOR_INPUT on wrong feeds, EXECUTOR_FAILED when the runtime gives up.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetch?: readonly string[]): Promise<ReadonlyMap<string, Tensor>>;
  /** Frees what the session holds; harmless when repeated. */
  close(): Promise<void>;
}

/** How a session is opened. */
export interface OpenOptions {
  /** Whether the runtime may rewrite the graph first; true unless said otherwise. */
  readonly optimize?: boolean;
}

/** A model as a file in the executor's own format. */
export interface ModelFile {
  readonly files: Files;
  readonly path: string;
}

/**
 * Runs graphs. Only executors own device or runtime memory: sessions are kept per graph object and options until
 * `close()` of the session or the executor.
 */
export interface Executor {
  readonly id: string;
  /** Name and version of the runtime, for reports: `onnxruntime-node 1.30.0`. */
  describe(): Promise<string>;
  /** A session for a graph; the same one for the same graph object and options. */
  open(graph: Graph, options?: OpenOptions): Promise<Session>;
  /** A session for a written file, loaded by the runtime itself. Absent where the runtime reads no files. */
  openFile?(file: ModelFile, options?: OpenOptions): Promise<Session>;
  /** The graph as the runtime rewrites it before running, to see what it fused. Absent where it cannot be seen. */
  optimized?(file: ModelFile): Promise<Graph>;
  close(): Promise<void>;
}
