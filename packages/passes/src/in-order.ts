import { EspalierError, type Graph, type Pass, type PassContext } from '@espalier/core';
import { passUnstable } from './errors.js';

/** One pass that runs the given ones from first to last. */
export const inOrder =
  (...passes: readonly Pass[]): Pass =>
  (graph, context) =>
    passes.reduce((result, pass) => named(pass, result, context), graph);

/** Runs a pass; an error says which one it was. */
function named(pass: Pass, graph: Graph, context: PassContext | undefined): Graph {
  try {
    return pass(graph, context);
  } catch (cause) {
    if (!(cause instanceof EspalierError) || !pass.name || cause.message.startsWith('pass "')) throw cause;
    const details = { ...cause.details, pass: pass.name };
    throw new EspalierError(cause.code, `pass "${pass.name}": ${cause.message}`, details, { cause });
  }
}

/**
 * Runs a pass again and again until it returns the graph it was given.
 * @throws PASS_UNSTABLE, naming the pass, when `limit` rounds (100) are not enough.
 */
export const untilStable =
  (pass: Pass, { name = pass.name || 'unnamed', limit = 100 } = {}): Pass =>
  (graph, context) => {
    let current: Graph = graph;
    for (let round = 0; round < limit; round++) {
      const next = pass(current, context);
      if (next === current) return current;
      current = next;
    }
    throw passUnstable(name, limit);
  };
