import type { Tensor } from '@espalier/core';
import type { Heap } from './heap.js';
import { isSmall } from './is-small.js';
import { blockOf, deviceValue, hostOf, type Value } from './value.js';

/**
 * The value that the next run reads: its own copy of the numbers, in the form that a feed of the same tensor would have,
 * so that a run goes the same way whether tensors were carried or fed. Large arrays of the types that WebAssembly memory
 * holds as they are stay there in the order of their axes; others are read, which is little, or rounds their numbers.
 */
export function carriedValue(heap: Heap, value: Value): Value {
  const { dtype, shape } = value;
  if ((dtype === 'float32' || dtype === 'int32') && !isSmall(value)) {
    const block = blockOf(heap, value, 'plain');
    block.holders++;
    return deviceValue(dtype, shape, block);
  }
  const host = hostOf(heap, value);
  return { dtype, shape, host: { ...host, data: host.data.slice() } as Tensor }; // the same dtype
}

/** The same value for one run to read: with a second holder no kernel writes over it, and the run frees its own forms. */
export function lentValue({ dtype, shape, host, plain }: Value): Value {
  if (plain) plain.holders++;
  return { dtype, shape, host, plain };
}
