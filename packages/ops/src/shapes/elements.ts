import { type Dim, type DType, isInteger, sizeOf, type Tensor, toNumbers } from '@espalier/core';

/** The known facts about one element: its number, the size it stands for, or nothing. */
export type Element = Dim | undefined;

/** The known facts about the elements of a small tensor, in row-major order; booleans are 0 and 1. */
export interface Elements {
  readonly shape: readonly number[];
  readonly items: readonly Element[];
}

/** Tensors of more elements are not followed: computations of shapes are smaller. */
export const mostElements = 1024;

const readable: ReadonlySet<DType> = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16', 'bool']);

/** The elements of a small constant of whole or real numbers. */
export function elementsOf(tensor: Tensor): Elements | undefined {
  if (!isInteger(tensor.dtype) && !readable.has(tensor.dtype)) return undefined;
  return sizeOf(tensor.shape) > mostElements ? undefined : { shape: tensor.shape, items: toNumbers(tensor) };
}

/** Elements of a known shape, or nothing when there are too many. */
export const makeElements = (shape: readonly number[], item: (index: number) => Element): Elements | undefined => {
  const size = sizeOf(shape);
  return size > mostElements ? undefined : { shape, items: Array.from({ length: size }, (_, index) => item(index)) };
};

/** A vector of elements. */
export const vectorOf = (items: readonly Element[]): Elements => ({ shape: [items.length], items });

/** The numbers of elements that are all known numbers. */
export const numbersOf = (elements: Elements | undefined): readonly number[] | undefined =>
  elements?.items.every((item): item is number => typeof item === 'number')
    ? (elements.items as readonly number[]) // every item was tested
    : undefined;

/** The number of a tensor of one known element. */
export const numberOf = (elements: Elements | undefined): number | undefined => {
  const item = elements?.items.length === 1 ? elements.items[0] : undefined;
  return typeof item === 'number' ? item : undefined;
};

/** Row-major strides of a shape. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The coordinates of a row-major index. */
export function coordinatesOf(index: number, shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return out;
}

/** The row-major index of coordinates; axes of size 1 are broadcast, missing leading axes ignored. */
export function indexAt(coordinates: readonly number[], shape: readonly number[]): number {
  const skipped = coordinates.length - shape.length;
  return shape.reduce((index, dim, axis) => index * dim + (dim === 1 ? 0 : coordinates[axis + skipped]!), 0);
}
