import type { Graph } from './graph.js';

/** A lossless rewrite: the same function, another graph. Returns the very same object when nothing changed. */
export type Pass = (graph: Graph) => Graph;
