import { type DType, fromNumbers, isFloat, sizeOf, type Tensor, tensor, toFloats, toNumbers } from '@espalier/core';
import { outOfRange, unsupportedType } from './errors.js';
import type { Block, Heap } from './heap.js';
import { copyView, rowMajor } from './strided.js';

/** The order of a value's elements in memory: in the order of its axes, or with axis 1 (the channels) last. */
export type Layout = 'plain' | 'last';

/**
 * A tensor inside a session, in any of three forms that are made when they are first asked for: on the host, and in
 * WebAssembly memory in either layout. Floats of every width are float32 there, everything else is int32.
 */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
  host?: Tensor | undefined;
  plain?: Block | undefined;
  last?: Block | undefined;
  /** Further forms that kernels keep, such as packed weights. */
  derived?: Map<string, Block>;
}

/** A value in WebAssembly memory. */
export const deviceValue = (dtype: DType, shape: readonly number[], block: Block, layout: Layout = 'plain'): Value => ({
  dtype,
  shape,
  [layout]: block,
});

/** A value on the host. @throws EXECUTOR_UNSUPPORTED_TYPE for strings and complex numbers. */
export function hostValue(source: Tensor, name: string): Value {
  if (source.dtype === 'string' || source.dtype.startsWith('complex')) {
    throw unsupportedType(`value "${name}"`, source.dtype);
  }
  return { dtype: source.dtype, shape: source.shape, host: source };
}

/** Whether both layouts are the same bytes. */
const alike = ({ shape }: Value): boolean =>
  shape.length < 3 || shape[1] === 1 || shape.slice(2).every((dim) => dim === 1);

/** The block of a value in a layout, converted (and kept) when only another form is there. */
export function blockOf(heap: Heap, value: Value, layout: Layout): Block {
  const known = value[layout];
  if (known) return known;
  const other = layout === 'plain' ? value.last : value.plain;
  if (other && alike(value)) {
    other.holders++;
    value[layout] = other;
    return other;
  }
  if (!other && layout === 'last') {
    blockOf(heap, value, 'plain');
    return blockOf(heap, value, 'last');
  }
  const made = other ? relaid(heap, value, { from: other, to: layout }) : uploaded(heap, value);
  value[layout] = made;
  return made;
}

/** Strides in elements, by axis, of a shape in a layout. */
export function stridesIn(shape: readonly number[], layout: Layout): readonly number[] {
  if (layout === 'plain' || shape.length < 3) return rowMajor(shape);
  const [first, channels, ...rest] = shape as [number, number, ...number[]]; // three axes at least
  const [outer, ...inner] = rowMajor([first, ...rest, channels]);
  return [outer!, inner.at(-1)!, ...inner.slice(0, -1)]; // one stride per axis
}

function relaid(heap: Heap, { shape }: Value, { from, to }: { from: Block; to: Layout }): Block {
  const made = heap.allocate(from.count);
  copyView(heap, {
    shape,
    source: { pointer: from.pointer, strides: stridesIn(shape, to === 'last' ? 'plain' : 'last') },
    target: { pointer: made.pointer, strides: stridesIn(shape, to) },
  });
  return made;
}

function uploaded(heap: Heap, { host, dtype, shape }: Value): Block {
  const source = host!; // a value has one form at least
  const count = sizeOf(shape);
  if (isFloat(dtype)) {
    const numbers = toFloats(source);
    const block = heap.allocate(count);
    heap.floats(block).set(numbers);
    return block;
  }
  const numbers = source.dtype === 'int32' ? source.data : toNumbers(source);
  if (dtype === 'int64' || dtype === 'uint64' || dtype === 'uint32') {
    const wrong = (numbers as readonly number[]).find((each) => each > 2147483647 || each < -2147483648);
    if (wrong !== undefined) throw outOfRange(`a value of ${dtype}[${shape.join(',')}]`, `${wrong}`);
  }
  const block = heap.allocate(count);
  heap.integers(block).set(numbers);
  return block;
}

/** The value as a host tensor, read back (and kept) when it is only in WebAssembly memory. */
export function hostOf(heap: Heap, value: Value): Tensor {
  value.host ??= downloaded(heap, value);
  return value.host;
}

function downloaded(heap: Heap, value: Value): Tensor {
  const { dtype, shape } = value;
  const block = blockOf(heap, value, 'plain');
  if (dtype === 'float32') return tensor(dtype, shape, heap.floats(block).slice());
  if (dtype === 'int32') return tensor(dtype, shape, heap.integers(block).slice());
  return fromNumbers(dtype, shape, isFloat(dtype) ? heap.floats(block) : heap.integers(block));
}

/** The layout that a value already has in WebAssembly memory; 'plain' when it is only on the host. */
export const layoutOf = (value: Value): Layout => (value.plain || !value.last ? 'plain' : 'last');

/** A form that is made once from a value and kept with it. */
export function derive(value: Value, key: string, make: () => Block): Block {
  value.derived ??= new Map();
  const known = value.derived.get(key) ?? make();
  value.derived.set(key, known);
  return known;
}

/** Another value over the same elements, in the order of the axes. */
export function reshapedValue(heap: Heap, value: Value, shape: readonly number[]): Value {
  const block = blockOf(heap, value, 'plain');
  block.holders++;
  return deviceValue(value.dtype, shape, block);
}

/** Frees what a value holds in WebAssembly memory; a host form stays. */
export function releaseValue(heap: Heap, value: Value): void {
  for (const layout of ['plain', 'last'] as const) {
    const block = value[layout];
    if (block) heap.release(block);
    value[layout] = undefined;
  }
  if (value.derived) for (const block of value.derived.values()) heap.release(block);
  value.derived?.clear();
}
