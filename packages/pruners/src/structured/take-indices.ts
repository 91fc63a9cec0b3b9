import {
  allocate,
  floats,
  fromNumbers,
  isPacked,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  toNumbers,
} from '@espalier/core';

/**
 * The elements of a tensor at the given indices of each axis, all of an axis where none are given.
 * `takeIndices(floats([1, 2, 3, 4], [2, 2]), [[1], undefined])` is `[[3, 4]]`. Runs of neighbours are copied whole.
 */
export function takeIndices(source: Tensor, kept: readonly (readonly number[] | undefined)[]): Tensor {
  const { dtype, shape } = source;
  const after = shape.map((size, axis) => kept[axis]?.length ?? size);
  if (kept.every((each) => each === undefined)) return source;
  if (isPacked(dtype)) {
    const wide = takeIndices(floats(toNumbers(source), shape), kept); // codes of 4 bits are exact in it
    return fromNumbers(dtype, after, toNumbers(wide));
  }
  const last = kept.findLastIndex((each) => each !== undefined);
  const block = sizeOf(shape.slice(last + 1));
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const out = allocate(dtype, sizeOf(after));
  if (dtype === 'string') throw new TypeError('texts have no channels'); // groups never hold them
  const from = source.data as TypedArray; // not a string tensor
  const to = out as TypedArray;
  const runs = runsOf(kept[last]!);
  let at = 0;
  const copy = (axis: number, offset: number): void => {
    if (axis === last) {
      for (let r = 0; r < runs.length; r += 2) {
        const start = offset + runs[r]! * block;
        const length = runs[r + 1]! * block;
        if (length < 16) for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
        else to.set(from.subarray(start, start + length) as never, at); // both are of the same dtype
        at += length;
      }
      return;
    }
    const indices = kept[axis];
    const count = after[axis]!;
    for (let i = 0; i < count; i++) copy(axis + 1, offset + (indices ? indices[i]! : i) * strides[axis]!);
  };
  copy(0, 0);
  return tensor(dtype, after, out as never); // allocated for the same dtype
}

/** Start and length of each run of neighbours. */
function runsOf(indices: readonly number[]): readonly number[] {
  const runs: number[] = [];
  for (const index of indices) {
    const last = runs.length - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === index) runs[last + 1]!++;
    else runs.push(index, 1);
  }
  return runs;
}
