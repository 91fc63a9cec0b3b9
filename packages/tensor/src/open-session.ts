import { checkFeeds, closedAlready, type Graph, type Session, unknownOutput, type ValueId } from '@espalier/core';
import type { Heap } from './heap.js';
import { type Plan, planOf } from './plan.js';
import { portsOf } from './ports-of.js';
import { prepareGraph } from './prepare-graph.js';
import { runPlan } from './run-plan.js';
import { hostValue, releaseValue, type Value } from './value.js';

/** A session for a graph. Constants go to WebAssembly memory when they are first read, and stay until `close()`. */
export function openSession(heap: Heap, given: Graph): Session {
  const { inputs, outputs } = portsOf(given);
  const graph = prepareGraph(given);
  const constants = new Map<ValueId, Value>();
  for (const [name, constant] of graph.constants) {
    // A type that cannot be held matters only where a node reads it.
    if (constant.dtype !== 'string' && !constant.dtype.startsWith('complex'))
      constants.set(name, hostValue(constant, name));
  }
  const plans = new Map<string, Plan>();
  const planFor = (wanted: readonly string[]): Plan => {
    const key = JSON.stringify(wanted);
    const plan = plans.get(key) ?? planOf(graph, wanted);
    plans.set(key, plan);
    return plan;
  };
  let closed = false;

  return {
    inputs,
    outputs,
    // Everything runs inside one call, so runs never overlap and close() has nothing to wait for.
    async run(feeds, fetch = graph.outputs) {
      if (closed) throw closedAlready(`session of graph "${graph.name}"`);
      checkFeeds(inputs, feeds, { equalNames: true });
      const wanted = [...new Set(fetch)];
      for (const name of wanted) if (!graph.outputs.includes(name)) throw unknownOutput(name, graph.outputs);
      return runPlan({ heap, graph, plan: planFor(wanted), constants }, feeds);
    },
    async close() {
      closed = true;
      for (const value of constants.values()) releaseValue(heap, value);
    },
  };
}
