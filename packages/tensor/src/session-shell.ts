import {
  type Carry,
  checkFeeds,
  closedAlready,
  type DType,
  type Graph,
  type Loop,
  type Port,
  type Session,
  type Tensor,
  unknownOutput,
  type ValueId,
} from '@espalier/core';
import { carriedTwice } from './errors.js';
import { type Plan, planOf } from './plan.js';
import { portsOf } from './session-ports.js';

type Values<V> = ReadonlyMap<ValueId, V>;

/** The results of a run; the caller releases the kept values. */
export interface RunResults<V> {
  readonly fetched: Map<string, Tensor>;
  readonly kept: Values<V>;
}

/** The outputs that a run reads back, those that it keeps, and the inputs that it takes from the run before. */
export interface RunParts<V> {
  readonly fetched: readonly ValueId[];
  readonly kept: readonly ValueId[];
  readonly carried: Values<V>;
}

/** The parts of a loop. */
export interface LoopParts<V, R> {
  /** Checks feeds and runs the session's graph. */
  readonly start: (feeds: ReadonlyMap<string, Tensor>, parts: RunParts<V>) => R;
  /** Checks names of outputs. */
  readonly known: (names: readonly string[]) => readonly string[];
  readonly carried: readonly Carry[];
  /** The name of the graph. */
  readonly name: string;
  readonly done: () => void;
}

/** The memory that a session computes in: WebAssembly's or a GPU's. `R` is the results, or a promise of them. */
export interface Memory<V, R> {
  /** The value of a constant, which comes to the memory when it is first read. */
  readonly hold: (constant: Tensor, name: string) => V;
  readonly run: (
    run: RunParts<V> & { readonly graph: Graph; readonly plan: Plan; readonly constants: Values<V> },
    feeds: ReadonlyMap<string, Tensor>,
  ) => R;
  readonly loop: (parts: LoopParts<V, R>) => Loop;
  /** Resolves when no run is under way. */
  readonly idle: () => Promise<void>;
  readonly release: (value: V) => void;
}

/** A graph as it was given, whose ports a session has, and in the form that runs. */
export interface SessionGraph {
  readonly given: Graph;
  readonly prepared: Graph;
}

/** A session over a memory: ports, checks, plans by wanted outputs, and loops. Constants stay until `close()`. */
export function openSessionIn<
  V extends { readonly dtype: DType; readonly shape: readonly number[] },
  R extends RunResults<V> | Promise<RunResults<V>>,
>(memory: Memory<V, R>, { given, prepared: graph }: SessionGraph): Session {
  const { inputs, outputs } = portsOf(given);
  const constants = new Map<ValueId, V>();
  for (const [name, constant] of graph.constants) {
    // A type that cannot be held matters only where a node reads it.
    if (constant.dtype !== 'string' && !constant.dtype.startsWith('complex'))
      constants.set(name, memory.hold(constant, name));
  }
  const planFor = plansOf(graph);
  const known = (names: readonly string[]): readonly string[] => {
    for (const name of names) if (!graph.outputs.includes(name)) throw unknownOutput(name, graph.outputs);
    return [...new Set(names)];
  };
  const start = (feeds: ReadonlyMap<string, Tensor>, parts: RunParts<V>): R => {
    checkRun(inputs, feeds, parts.carried);
    const plan = planFor([...new Set([...parts.fetched, ...parts.kept])]);
    return memory.run({ ...parts, graph, plan, constants }, feeds);
  };
  const loops = new Set<Loop>();
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw closedAlready(`session of graph "${graph.name}"`);
  };

  return {
    inputs,
    outputs,
    async run(feeds, fetch = graph.outputs) {
      checkOpen();
      return (await start(feeds, { fetched: known(fetch), kept: [], carried: new Map() })).fetched;
    },
    async loop(carried) {
      checkOpen();
      const initial = new Map(carried.map((each) => [each.input, each.initial]));
      const taken = inputs.filter(({ name }) => initial.has(name));
      checkFeeds(taken, initial, { equalNames: true });
      if (initial.size < carried.length) throw carriedTwice(carried.map(({ input }) => input));
      known(carried.map(({ output }) => output));
      const loop = memory.loop({ start, known, carried, name: graph.name, done: () => loops.delete(loop) });
      loops.add(loop);
      return loop;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([...loops].map((loop) => loop.close()));
      await memory.idle();
      for (const value of constants.values()) memory.release(value);
    },
  };
}

/** Plans by the outputs that are wanted, each made once. */
function plansOf(graph: Graph): (wanted: readonly string[]) => Plan {
  const plans = new Map<string, Plan>();
  return (wanted) => {
    const key = JSON.stringify(wanted);
    const plan = plans.get(key) ?? planOf(graph, wanted);
    plans.set(key, plan);
    return plan;
  };
}

/** Checks feeds; sizes of one name must agree between them and the tensors that the last run left. */
function checkRun(
  inputs: readonly Port[],
  feeds: ReadonlyMap<string, Tensor>,
  carried: Values<{ readonly dtype: DType; readonly shape: readonly number[] }>,
): void {
  checkFeeds(
    inputs.filter(({ name }) => !carried.has(name)),
    feeds,
  );
  checkFeeds(inputs, new Map([...carried, ...feeds]), { equalNames: true });
}
