import type { Heap } from './heap.js';

/** A place in memory whose elements are reached by strides in elements; negative ones run backwards, 0 repeats. */
export interface Place {
  readonly pointer: number;
  readonly strides: readonly number[];
}

/** Strides in elements of a dense row-major array. */
export function rowMajor(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Axes merged wherever all arrays step through two of them as through one; sizes of 1 vanish. One axis at least. */
export function mergeAxes(
  shape: readonly number[],
  arrays: readonly (readonly number[])[],
): { readonly shape: readonly number[]; readonly arrays: readonly (readonly number[])[] } {
  const sizes: number[] = [];
  const strides: number[][] = arrays.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const before = sizes.length - 1;
    if (before >= 0 && arrays.every((array, i) => strides[i]![before] === array[axis]! * size)) {
      sizes[before]! *= size;
      arrays.forEach((array, i) => {
        strides[i]![before] = array[axis]!;
      });
    } else {
      sizes.push(size);
      arrays.forEach((array, i) => {
        strides[i]!.push(array[axis]!);
      });
    }
  }
  return sizes.length > 0 ? { shape: sizes, arrays: strides } : { shape: [1], arrays: arrays.map(() => [1]) };
}

/** Copies elements between two strided places of one shape. */
export function copyView(
  heap: Heap,
  { shape, source, target }: { readonly shape: readonly number[]; readonly source: Place; readonly target: Place },
): void {
  if (shape.includes(0)) return;
  // In the order of the target, so that writes run forward.
  const order = shape
    .map((_, axis) => axis)
    .sort((a, b) => Math.abs(target.strides[b]!) - Math.abs(target.strides[a]!));
  const inOrder = (list: readonly number[]) => order.map((axis) => list[axis]!);
  const merged = mergeAxes(inOrder(shape), [inOrder(source.strides), inOrder(target.strides)]);
  const rank = merged.shape.length;
  heap.kernels.copy(
    source.pointer,
    target.pointer,
    rank,
    heap.meta([...merged.shape, ...merged.arrays[0]!, ...merged.arrays[1]!]),
  );
}
