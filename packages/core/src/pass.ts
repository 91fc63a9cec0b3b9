import type { Graph } from './graph.js';
import type { Note } from './outcome.js';

/** A lossless rewrite: the same function, another graph. Returns the very same object when nothing changed. */
export interface Pass {
  (graph: Graph): Graph;
  /** Notes for the report on what the pass did to `before`, and on what it left and why. Default: no notes. */
  readonly explain?: (before: Graph, after: Graph) => readonly Note[];
}
