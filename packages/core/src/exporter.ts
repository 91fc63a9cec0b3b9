import type { Files } from './files.js';
import type { Graph } from './graph.js';

/** Writes a model file. */
export interface Exporter {
  /** File name ending, without the dot. */
  readonly extension: string;
  /** Writes the model at `path`, and whatever must stand beside it. Returns every path written. */
  write(graph: Graph, files: Files, path: string): Promise<readonly string[]>;
}
