import { bitsOf, type DType, isFloat } from './dtype.js';
import { problem } from './errors.js';
import { decodeFloats, encodeFloat, encodeFloat16s, isSmallFloat } from './float-formats.js';
import { type PackedBits, pack, unpack } from './packing.js';
import { sizeOf, type Tensor, tensor } from './tensor.js';

/**
 * Elements as float32, in row-major order; the tensor's own array when it is float32 already (do not write to it).
 * Integers beyond 2^24 and doubles are rounded.
 * @throws TENSOR_DTYPE for strings and complex numbers.
 */
export function toFloats(source: Tensor): Float32Array {
  switch (source.dtype) {
    case 'float32':
      return source.data;
    case 'int64':
    case 'uint64':
      return Float32Array.from(source.data as ArrayLike<bigint>, Number);
    default: {
      const found = elements(source);
      return found instanceof Float32Array ? found : Float32Array.from(found);
    }
  }
}

/**
 * Elements as plain numbers; exact for every real dtype but int64 beyond 2^53.
 * @throws TENSOR_DTYPE for strings and complex numbers.
 */
export const toNumbers = (source: Tensor): readonly number[] => Array.from(elements(source));

function elements(source: Tensor): ArrayLike<number> {
  const { dtype, data } = source;
  switch (dtype) {
    case 'string':
    case 'complex64':
    case 'complex128':
      throw problem('TENSOR_DTYPE', {
        where: `tensor ${dtype}[${source.shape.join(',')}]`,
        expected: 'real numbers',
        found: dtype,
        fix: 'Leave this tensor as it is: only real-valued tensors can be read as numbers.',
      });
    case 'int64':
    case 'uint64':
      return Array.from(data as ArrayLike<bigint>, Number);
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
      return unpack(data, sizeOf(source.shape), bitsOf(dtype) as PackedBits, dtype.startsWith('int'));
    case 'float4e2m1':
      return decodeFloats(dtype, unpack(data, sizeOf(source.shape), 4, false));
    case 'float8e8m0':
      return Float64Array.from(data, (code) => (code === 255 ? Number.NaN : 2 ** (code - 127)));
    default:
      return isSmallFloat(dtype) ? decodeFloats(dtype, data as ArrayLike<number>) : (data as ArrayLike<number>);
  }
}

/**
 * Numbers stored as `dtype`: floats rounded to nearest even, integers truncated toward zero and wrapped as typed
 * arrays do (NaN and infinities become 0), bool as 0 or 1.
 * @throws TENSOR_DTYPE for strings, complex numbers and float8e8m0; TENSOR_SHAPE when the count does not fit.
 */
export function fromNumbers(dtype: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  switch (dtype) {
    case 'float64':
      return tensor(dtype, shape, Float64Array.from(values));
    case 'float32':
      return tensor(dtype, shape, Float32Array.from(values));
    case 'float16':
      return tensor(dtype, shape, values instanceof Float32Array ? encodeFloat16s(values) : encode(dtype, values));
    case 'bfloat16':
      return tensor(dtype, shape, encode(dtype, values));
    case 'int64':
      return tensor(dtype, shape, BigInt64Array.from(values as ArrayLike<number>, wholeOf));
    case 'uint64':
      return tensor(dtype, shape, BigUint64Array.from(values as ArrayLike<number>, wholeOf));
    case 'int32':
      return tensor(dtype, shape, Int32Array.from(values));
    case 'int16':
      return tensor(dtype, shape, Int16Array.from(values));
    case 'int8':
      return tensor(dtype, shape, Int8Array.from(values));
    case 'uint32':
      return tensor(dtype, shape, Uint32Array.from(values));
    case 'uint16':
      return tensor(dtype, shape, Uint16Array.from(values));
    case 'uint8':
      return tensor(dtype, shape, Uint8Array.from(values));
    case 'bool':
      return tensor(
        dtype,
        shape,
        Uint8Array.from(values, (v) => (v === 0 ? 0 : 1)),
      );
    case 'int4':
    case 'uint4':
      return tensor(dtype, shape, pack(values, 4));
    case 'int2':
    case 'uint2':
      return tensor(dtype, shape, pack(values, 2));
    case 'float4e2m1':
      return tensor(dtype, shape, pack(encode(dtype, values), 4));
    default:
      if (isFloat(dtype) && isSmallFloat(dtype)) {
        return tensor(dtype, shape, Uint8Array.from(encode(dtype, values)) as never); // all remaining ones are bytes
      }
      throw problem('TENSOR_DTYPE', {
        where: `tensor ${dtype}[${shape.join(',')}]`,
        expected: 'a real dtype that numbers convert to',
        found: dtype,
        fix: 'Build this tensor from its own storage with `tensor(dtype, shape, data)`.',
      });
  }
}

const wholeOf = (value: number): bigint => (Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n);

const encode = (dtype: DType, values: ArrayLike<number>): Uint16Array =>
  isSmallFloat(dtype) ? Uint16Array.from(values, (v) => encodeFloat(dtype, v)) : new Uint16Array(0);
