import type { DType, Tensor } from '@espalier/core';
import { tensor, wrongFeed } from '@espalier/core';
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { unsupportedType } from './errors.js';
import type { Runtime } from './runtime.js';

/** The packages that pass a dtype between host and runtime: both, onnxruntime-web alone, or none. */
const passage = {
  float64: 'both',
  float32: 'both',
  float16: 'both',
  bfloat16: 'none',
  float8e4m3fn: 'none',
  float8e4m3fnuz: 'none',
  float8e5m2: 'none',
  float8e5m2fnuz: 'none',
  float8e8m0: 'none',
  float4e2m1: 'none',
  int64: 'both',
  int32: 'both',
  int16: 'both',
  int8: 'both',
  int4: 'web',
  int2: 'none',
  uint64: 'both',
  uint32: 'both',
  uint16: 'both',
  uint8: 'both',
  uint4: 'web',
  uint2: 'none',
  bool: 'both',
  complex64: 'none',
  complex128: 'none',
  string: 'both',
} as const satisfies Record<DType, 'both' | 'web' | 'none'>;

/** Whether values of a dtype can be fed to and fetched from a runtime. */
export const passes = (runtime: Runtime, dtype: DType): boolean =>
  passage[dtype] === 'both' || (passage[dtype] === 'web' && runtime.package === 'onnxruntime-web');

/**
 * The runtime's tensor over the same memory.
 * @throws EXECUTOR_UNSUPPORTED_TYPE for dtypes that the runtime does not take, EXECUTOR_INPUT when the storage does not
 * fit the shape.
 */
export function toOrtTensor(runtime: Runtime, name: string, source: Tensor): OrtTensor {
  if (!passes(runtime, source.dtype)) throw unsupportedType(`input "${name}"`, source.dtype, runtime.package);
  const { data, shape, dtype } = source;
  // The runtime's binding reads the memory of a plain ArrayBuffer only.
  const plain =
    ArrayBuffer.isView(data) && typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer
      ? data.slice()
      : data;
  try {
    return new runtime.api.Tensor(dtype as 'float32', plain as Float32Array, shape); // `passes` admits exactly the runtime's own type names
  } catch (cause) {
    throw wrongFeed(name, {
      expected: `storage for ${dtype}[${shape.join(',')}]`,
      found: `${data.length} stored elements (${cause instanceof Error ? cause.message : cause})`,
    });
  }
}

/**
 * The host tensor over the memory the runtime handed out.
 * @throws EXECUTOR_UNSUPPORTED_TYPE when the value is not a tensor of a known dtype.
 */
export function fromOrtTensor(runtime: Runtime, name: string, result: OrtTensor): Tensor {
  const dtype = result.type as DType;
  if (!Object.hasOwn(passage, dtype)) throw unsupportedType(`output "${name}"`, result.type, runtime.package);
  const { data } = result;
  // Where JavaScript has Float16Array the runtime uses it; host tensors hold the raw bits.
  const bits =
    dtype === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array)
      ? new Uint16Array(data.buffer, data.byteOffset, data.length)
      : data;
  return tensor(dtype, result.dims, bits as never); // the runtime pairs type and array as DataOf does
}
