import type { AxisRules } from './axis-rule.js';
import type { Graph } from './graph.js';
import type { Note } from './outcome.js';

/** Facts about the run that a pass may use, besides the graph. */
export interface PassContext {
  /** Axis rules of custom ops. Default: the built-in rules alone. */
  readonly axes?: AxisRules;
}

/** A lossless rewrite: the same function, another graph. Returns the very same object when nothing changed. */
export interface Pass {
  (graph: Graph, context?: PassContext): Graph;
  /** Notes for the report on what the pass did to `before`, and on what it left and why. Default: no notes. */
  readonly explain?: (before: Graph, after: Graph) => readonly Note[];
}
