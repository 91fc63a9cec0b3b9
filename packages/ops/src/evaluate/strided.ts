import { allocate, bitsOf, type DType, isPacked, sizeOf, type Tensor, tensor } from '@espalier/core';

type Words = Uint8Array | Uint16Array | Int32Array;

/** Elements per step along each axis of a row-major tensor. `[6, 3, 1]` for shape `[5, 2, 3]`. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Whether elements can be moved one by one: not several to a byte, not two numbers to an element. */
export const isMovable = (dtype: DType): boolean => !isPacked(dtype) && !dtype.startsWith('complex');

/**
 * The elements as words of their size, so that moving them keeps every bit and meets few kinds of arrays. Words up to
 * 32 bits are small integers to the engine; 64-bit ones are bigints, and must not share a loop with the others.
 */
function wordsOf(source: Tensor): Words | BigInt64Array {
  const { buffer, byteOffset, length } = source.data as Uint8Array; // strings are handled by the callers
  switch (bitsOf(source.dtype)) {
    case 8:
      return new Uint8Array(buffer, byteOffset, length);
    case 16:
      return new Uint16Array(buffer, byteOffset, length);
    case 32:
      return new Int32Array(buffer, byteOffset, length);
    default:
      return new BigInt64Array(buffer, byteOffset, length);
  }
}

/** A way to read a tensor: element `i` of the view is element `offset + Σ i_k strides_k` of the source. */
export interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** Copies a view of a tensor. Transpose, Slice, Expand, Tile and Split are all views; strides may be zero or negative. */
export function strided(source: Tensor, { shape, strides, offset = 0 }: View): Tensor {
  const out = allocate(source.dtype, sizeOf(shape));
  if (out.length > 0) walk(shape, strides, offset, rowCopier(source, { ...source, data: out } as Tensor)); // same dtype
  return tensor(source.dtype, shape, out);
}

function rowCopier(source: Tensor, out: Tensor): CopyRow {
  if (source.dtype === 'string') return copyInto(source.data, out.data as string[]); // same dtype, made by the caller
  const from = wordsOf(source);
  const to = wordsOf(out);
  if (from instanceof BigInt64Array) return copyLongs(from, to as BigInt64Array); // same dtype
  return copyWords(from, to as Words); // same dtype
}

type CopyRow = (row: { from: number; step: number; to: number; count: number }) => void;

// One call per innermost row, so the loop over elements stays tight.
function walk(shape: readonly number[], strides: readonly number[], offset: number, copy: CopyRow): void {
  const inner = shape.length - 1;
  const count = inner < 0 ? 1 : shape[inner]!;
  const step = inner < 0 ? 1 : strides[inner]!;
  const at = new Array<number>(Math.max(inner, 0)).fill(0);
  let from = offset;
  for (let to = 0; ; to += count) {
    copy({ from, step, to, count });
    let axis = inner - 1;
    for (; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}

const copyWords =
  (source: Words, out: Words): CopyRow =>
  ({ from, step, to, count }) => {
    if (step === 1)
      out.set(source.subarray(from, from + count) as never, to); // both are the same kind of words
    else for (let i = 0; i < count; i++) out[to + i] = source[from + i * step]!;
  };

const copyLongs =
  (source: BigInt64Array, out: BigInt64Array): CopyRow =>
  ({ from, step, to, count }) => {
    for (let i = 0; i < count; i++) out[to + i] = source[from + i * step]!;
  };

const copyInto =
  (source: readonly string[], out: string[]): CopyRow =>
  ({ from, step, to, count }) => {
    for (let i = 0; i < count; i++) out[to + i] = source[from + i * step]!;
  };

/** Picks elements by flat index; index -1 gives `fill`'s only element, or zero (an empty string) without it. */
export function take(source: Tensor, indices: ArrayLike<number>, shape: readonly number[], fill?: Tensor): Tensor {
  const out = allocate(source.dtype, indices.length);
  const strings = source.dtype === 'string';
  const from = (strings ? source.data : wordsOf(source)) as ArrayLike<number>; // moved, never looked at
  const to = (strings ? out : wordsOf({ ...source, data: out } as Tensor)) as unknown as number[]; // moved, never looked at
  const other = fill && (strings ? fill.data : wordsOf(fill))[0];
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= 0) to[i] = from[index]!;
    else if (other !== undefined) to[i] = other as number; // of the same kind as the source's elements
  }
  return tensor(source.dtype, shape, out);
}
