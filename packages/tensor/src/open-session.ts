import {
  checkFeeds,
  closedAlready,
  type Graph,
  type Port,
  type Session,
  tensorInfo,
  unknownOutput,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/passes';
import { unsupportedType } from './errors.js';
import type { Heap } from './heap.js';
import { type Plan, planOf } from './plan.js';
import { prepareGraph } from './prepare-graph.js';
import { runPlan } from './run-plan.js';
import { hostValue, releaseValue, type Value } from './value.js';

/** A session for a graph. Constants go to WebAssembly memory when they are first read, and stay until `close()`. */
export function openSession(heap: Heap, given: Graph): Session {
  const typed = inferShapes(given);
  const graph = prepareGraph(given);
  const constants = new Map<ValueId, Value>();
  for (const [name, constant] of graph.constants) {
    // A type that cannot be held matters only where a node reads it.
    if (constant.dtype !== 'string' && !constant.dtype.startsWith('complex'))
      constants.set(name, hostValue(constant, name));
  }
  const inputs = portsOf(typed, graph.inputs);
  const outputs = portsOf(typed, graph.outputs);
  for (const port of [...inputs, ...outputs])
    if (!port.container && (port.dtype === 'string' || port.dtype.startsWith('complex')))
      throw unsupportedType(`value "${port.name}"`, port.dtype);
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

/** Ports as the graph declares them; sizes that nobody knows are named after the port. */
const portsOf = (graph: Graph, names: readonly ValueId[]): readonly Port[] =>
  names.map((name) => {
    const info = tensorInfo(graph, name) ?? graph.values.get(name);
    return {
      name,
      dtype: info?.dtype ?? 'float32',
      ...(info?.shape ? { shape: info.shape } : {}),
      ...(info && 'container' in info && info.container ? { container: info.container } : {}),
    };
  });
