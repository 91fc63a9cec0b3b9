import { type Carry, closedAlready, floats, type Loop, type Tensor, tensor, unknownOutput } from '@espalier/core';
import { carriedValue } from './carried-value.js';
import type { Heap } from './heap.js';
import type { LoopParts, RunResults } from './session-shell.js';
import { hostValue, releaseValue, type Value } from './value.js';

/** The parts of a loop in WebAssembly memory. */
export interface HeapLoopParts extends LoopParts<Value, RunResults<Value>> {
  readonly heap: Heap;
}

/** Runs whose carried tensors stay in WebAssembly memory; they change only when a run has succeeded. */
export function openLoop({ heap, start, known, carried, name, done }: HeapLoopParts): Loop {
  const outputs = [...new Set(carried.map(({ output }) => output))];
  let now = begun(heap, carried);
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw closedAlready(`loop over graph "${name}"`);
  };

  return {
    // Everything happens inside one call, so steps never overlap.
    async step(feeds, fetch = []) {
      checkOpen();
      const { fetched, kept } = start(feeds, { fetched: known(fetch), kept: outputs, carried: now });
      try {
        const before = now;
        now = shares(
          heap,
          carried.map(({ input, output }) => [input, kept.get(output)!]), // all of them were kept
        );
        releaseAll(heap, before);
      } finally {
        releaseAll(heap, kept);
      }
      return fetched;
    },
    async read(names = [...now.keys()]) {
      checkOpen();
      const found = names.map((input) => {
        const value = now.get(input);
        if (value) return [input, copied(viewOf(heap, value))] as const;
        throw unknownOutput(input, [...now.keys()]);
      });
      return new Map(found);
    },
    async close() {
      if (closed) return;
      closed = true;
      done();
      releaseAll(heap, now);
    },
  };
}

type Values = ReadonlyMap<string, Value>;

const releaseAll = (heap: Heap, values: Values): void => {
  for (const value of values.values()) releaseValue(heap, value);
};

/** The values of the first run. */
function begun(heap: Heap, carried: readonly Carry[]): Values {
  const given = new Map(carried.map(({ input, initial }) => [input, hostValue(initial, input)] as const));
  try {
    return shares(heap, [...given]);
  } finally {
    releaseAll(heap, given);
  }
}

/** Values as the next run takes them, each with a share of its own: several inputs may be fed one output. */
function shares(heap: Heap, from: readonly (readonly [input: string, value: Value])[]): Values {
  const made = new Map<string, Value>();
  try {
    for (const [input, value] of from) made.set(input, carriedValue(heap, value));
    return made;
  } catch (cause) {
    releaseAll(heap, made);
    throw cause;
  }
}

/** The content of a carried value, as a view; valid only until something else runs. */
function viewOf(heap: Heap, { dtype, shape, host, plain }: Value): Tensor {
  if (host) return host;
  // Without a host form it is of one of these types, in memory.
  return dtype === 'int32' ? tensor(dtype, shape, heap.integers(plain!)) : floats(heap.floats(plain!), shape);
}

const copied = (source: Tensor): Tensor => ({ ...source, data: source.data.slice() }) as Tensor; // the same dtype
