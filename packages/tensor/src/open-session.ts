import {
  checkFeeds,
  closedAlready,
  type Graph,
  type Loop,
  type Session,
  unknownOutput,
  type ValueId,
} from '@espalier/core';
import { carriedTwice } from './errors.js';
import type { Heap } from './heap.js';
import { type LoopParts, openLoop } from './open-loop.js';
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
  const known = (names: readonly string[]): readonly string[] => {
    for (const name of names) if (!graph.outputs.includes(name)) throw unknownOutput(name, graph.outputs);
    return [...new Set(names)];
  };
  const start: LoopParts['start'] = (feeds, of) =>
    runPlan({ ...of, heap, graph, plan: planFor([...new Set([...of.fetched, ...of.kept])]), constants }, feeds);
  const loops = new Set<Loop>();
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw closedAlready(`session of graph "${graph.name}"`);
  };

  return {
    inputs,
    outputs,
    // Everything runs inside one call, so runs never overlap and close() has nothing to wait for.
    async run(feeds, fetch = graph.outputs) {
      checkOpen();
      checkFeeds(inputs, feeds, { equalNames: true });
      const fetched = known(fetch);
      return runPlan({ heap, graph, plan: planFor(fetched), constants }, feeds).fetched;
    },
    async loop(carried) {
      checkOpen();
      const initial = new Map(carried.map((each) => [each.input, each.initial]));
      const taken = inputs.filter(({ name }) => initial.has(name));
      checkFeeds(taken, initial, { equalNames: true });
      if (initial.size < carried.length) throw carriedTwice(carried.map(({ input }) => input));
      known(carried.map(({ output }) => output));
      const loop = openLoop({ heap, start, known, inputs, carried, name: graph.name, done: () => loops.delete(loop) });
      loops.add(loop);
      return loop;
    },
    async close() {
      closed = true;
      await Promise.all([...loops].map((loop) => loop.close()));
      for (const value of constants.values()) releaseValue(heap, value);
    },
  };
}
