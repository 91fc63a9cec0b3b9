import type { Files } from './files.js';
import type { Graph, ValueInfo } from './graph.js';
import type { Tensor } from './tensor.js';

/** An input or output of a session. */
export interface Port extends ValueInfo {
  readonly name: string;
}

/** An output that is fed to an input of the next run. */
export interface Carry {
  readonly input: string;
  readonly output: string;
  /** The value in the first run. */
  readonly initial: Tensor;
}

/**
 * Runs in a row, such as steps of training, whose carried tensors stay in the memory of the runtime. What they compute is
 * what runs that feed each output back compute.
 */
export interface Loop {
  /**
   * Runs once with what the last run left. Feeds are the inputs that are not carried, and nothing comes to the host but
   * what `fetch` names. A run that fails leaves the carried tensors as they were. @throws as `Session.run`.
   */
  step(feeds: ReadonlyMap<string, Tensor>, fetch?: readonly string[]): Promise<ReadonlyMap<string, Tensor>>;
  /** Carried tensors as they are now, by the name of their input, all when left out; the caller owns them. */
  read(inputs?: readonly string[]): Promise<ReadonlyMap<string, Tensor>>;
  /** Frees the carried tensors; harmless when repeated. */
  close(): Promise<void>;
}

/** A model ready to run. */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs once. Feeds are by input name; `fetch` names the outputs wanted; default: all that are tensors. Results are host
   * tensors that the caller owns. @throws EXECUTOR_INPUT on wrong feeds, EXECUTOR_FAILED when the runtime gives up.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetch?: readonly string[]): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * Begins runs in a row that keep tensors in the runtime; each input is carried once. Absent where tensors come to the
   * host anyway: feed each output back by `run` there. @throws EXECUTOR_INPUT, EXECUTOR_OUTPUT.
   */
  loop?(carried: readonly Carry[]): Promise<Loop>;
  /** Frees what the session holds, loops included; harmless when repeated. */
  close(): Promise<void>;
}

/** Options for opening a session. */
export interface OpenOptions {
  /** Whether the runtime may rewrite the graph first. Default: true. */
  readonly optimize?: boolean;
}

/** A model as a file in the executor's own format. */
export interface ModelFile {
  readonly files: Files;
  readonly path: string;
  /** The graph of the file, where it was read: an executor can then work around faults of its runtime. */
  readonly graph?: Graph;
}

/**
 * Runs graphs. Only executors own device or runtime memory: sessions are kept per graph object and options until
 * `close()` of the session or the executor.
 */
export interface Executor {
  readonly id: string;
  /** Whether the last nodes of a graph run first, as far as they can; else nodes run as they are listed. */
  readonly lastNodesFirst?: boolean;
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
