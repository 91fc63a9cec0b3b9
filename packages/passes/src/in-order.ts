import type { Graph, Pass } from '@espalier/core';
import { passUnstable } from './errors.js';

/** One pass that runs the given ones from first to last. */
export const inOrder =
  (...passes: readonly Pass[]): Pass =>
  (graph) =>
    passes.reduce((result, pass) => pass(result), graph);

/**
 * Runs a pass again and again until it returns the graph it was given.
 * @throws PASS_UNSTABLE, naming the pass, when `limit` rounds (100) are not enough.
 */
export const untilStable =
  (pass: Pass, { name = pass.name || 'unnamed', limit = 100 } = {}): Pass =>
  (graph) => {
    let current: Graph = graph;
    for (let round = 0; round < limit; round++) {
      const next = pass(current);
      if (next === current) return current;
      current = next;
    }
    throw passUnstable(name, limit);
  };
