import {
  checkFeeds,
  closedAlready,
  type Graph,
  type Loop,
  type Session,
  type Tensor,
  unknownOutput,
  type ValueId,
} from '@espalier/core';
import { carriedTwice } from '../errors.js';
import { type Plan, planOf } from '../plan.js';
import { portsOf } from '../ports-of.js';
import { prepareGraph } from '../prepare-graph.js';
import type { Gpu } from './gpu.js';
import { openGpuLoop } from './gpu-loop.js';
import { gpuOpOf } from './gpu-ops.js';
import { type GpuValue, releaseGpuValue } from './gpu-value.js';
import { type GpuResults, runGpuPlan } from './run-gpu-plan.js';

/** Whether an op has kernels of its own here. */
const runs = (op: string): boolean => {
  const found = gpuOpOf(op);
  return found !== undefined && found !== 'lowered';
};

/** A session for a graph. Constants go to the GPU when they are first read, and stay until `close()`. */
export function openGpuSession(gpu: Gpu, given: Graph): Session {
  const { inputs, outputs } = portsOf(given);
  const graph = prepareGraph(given, runs);
  const constants = new Map<ValueId, GpuValue>();
  for (const [name, constant] of graph.constants) {
    // A type that cannot be held matters only where a node reads it.
    const { dtype, shape } = constant;
    if (dtype !== 'string' && !dtype.startsWith('complex')) constants.set(name, { dtype, shape, host: constant });
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
  const loops = new Set<Loop>();
  let closed = false;

  const start = (
    feeds: ReadonlyMap<string, Tensor>,
    of: {
      readonly fetched: readonly string[];
      readonly kept: readonly string[];
      readonly carried?: ReadonlyMap<ValueId, GpuValue>;
    },
  ): Promise<GpuResults> => {
    const held = of.carried ? new Map([...constants, ...of.carried]) : constants;
    const plan = planFor([...new Set([...of.fetched, ...of.kept])]);
    return gpu.alone(() => runGpuPlan({ ...of, gpu, graph, plan, held }, feeds));
  };

  return {
    inputs,
    outputs,
    async run(feeds, fetch = graph.outputs) {
      if (closed) throw closedAlready(`session of graph "${graph.name}"`);
      checkFeeds(inputs, feeds, { equalNames: true });
      return (await start(feeds, { fetched: known(fetch), kept: [] })).fetched;
    },
    async loop(carried) {
      if (closed) throw closedAlready(`session of graph "${graph.name}"`);
      const initial = new Map(carried.map(({ input, initial: tensor }) => [input, tensor]));
      const fed = inputs.filter(({ name }) => !initial.has(name));
      checkFeeds(
        inputs.filter(({ name }) => initial.has(name)),
        initial,
      );
      if (initial.size < carried.length) throw carriedTwice(carried.map(({ input }) => input));
      known(carried.map(({ output }) => output));
      const loop = openGpuLoop({ gpu, start, known, fed, carried, name: graph.name, done: () => loops.delete(loop) });
      loops.add(loop);
      return loop;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([...loops].map((loop) => loop.close()));
      // A run that is under way still reads them.
      await gpu.alone(async () => {}).catch(() => {});
      for (const value of constants.values()) releaseGpuValue(value);
    },
  };
}
