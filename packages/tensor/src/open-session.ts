import type { Graph, Session } from '@espalier/core';
import type { Heap } from './heap.js';
import { openLoop } from './open-loop.js';
import { prepareGraph } from './prepare-graph.js';
import { runPlan } from './run-plan.js';
import { type Memory, openSessionIn, type RunResults } from './session-shell.js';
import { hostValue, releaseValue, type Value } from './value.js';

/** A session for a graph. Constants go to WebAssembly memory when they are first read. */
export function openSession(heap: Heap, given: Graph): Session {
  const memory: Memory<Value, RunResults<Value>> = {
    hold: hostValue,
    run: (run, feeds) => runPlan({ ...run, heap }, feeds),
    loop: (parts) => openLoop({ ...parts, heap }),
    // Everything runs inside one call, so runs never overlap and there is nothing to wait for.
    idle: async () => {},
    release: (value) => releaseValue(heap, value),
  };
  return openSessionIn(memory, { given, prepared: prepareGraph(given) });
}
