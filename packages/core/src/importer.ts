import type { Files } from './files.js';
import type { Graph } from './graph.js';

/** Reads a model file. */
export interface Importer {
  /** File name endings, without the dot. */
  readonly extensions: readonly string[];
  /** Whether the first bytes of a file (up to 64) look like this format. */
  recognises(head: Uint8Array): boolean;
  /** Reads the model at `path`; further files are looked up beside it. */
  read(files: Files, path: string): Promise<Graph>;
}
