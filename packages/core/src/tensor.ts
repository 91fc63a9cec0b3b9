import { allocate, bytesFor, type DataOf, type DType, storageLength } from './dtype.js';
import { problem } from './errors.js';

/** A host tensor: elements in row-major order. Treat `data` as read-only; tensors are shared between graphs. */
export type Tensor<D extends DType = DType> = {
  readonly [K in D]: { readonly dtype: K; readonly shape: readonly number[]; readonly data: DataOf[K] };
}[D];

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Bytes of a tensor's elements. Strings count their UTF-8 length. */
export const byteLength = (tensor: Tensor): number =>
  tensor.dtype === 'string'
    ? tensor.data.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0)
    : bytesFor(tensor.dtype, sizeOf(tensor.shape));

/**
 * Wraps elements as a tensor, checking that their number fits the shape.
 * `tensor('float32', [2, 1], new Float32Array([1, 2]))`
 * @throws TENSOR_SHAPE when the storage length does not fit.
 */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): Tensor<D> {
  const wanted = storageLength(dtype, sizeOf(shape));
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || data.length !== wanted) {
    throw problem('TENSOR_SHAPE', {
      where: `tensor ${dtype}[${shape.join(',')}]`,
      expected: `${wanted} stored elements`,
      found: `${data.length}`,
      fix: 'Pass a shape whose product is the number of elements (packed types: rounded up to whole bytes).',
    });
  }
  return { dtype, shape, data } as Tensor<D>; // checked above; a mapped type cannot be built by literal
}

/** A tensor of zeros (empty strings for text). */
export const zeros = <D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> =>
  tensor(dtype, shape, allocate(dtype, sizeOf(shape)));

/** A float32 tensor from numbers; a scalar when `shape` is left out and one number is given. */
export const floats = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor<'float32'> =>
  tensor('float32', shape, values instanceof Float32Array ? values : Float32Array.from(values));

/** An int64 tensor from whole numbers, for shapes and axes; 2^63 and more become the largest int64. */
export const longs = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor<'int64'> =>
  tensor('int64', shape, BigInt64Array.from(values, saturated));

// 2^63, the mark for "to the end", is one more than int64 holds.
const saturated = (value: number): bigint => (value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value));

/** A float32 scalar. */
export const scalar = (value: number): Tensor<'float32'> => floats([value], []);

/** The same elements under another shape of the same size. */
export const reshaped = <D extends DType>(source: Tensor<D>, shape: readonly number[]): Tensor<D> =>
  tensor(source.dtype, shape, source.data) as Tensor<D>; // dtype and data come from the same tensor
