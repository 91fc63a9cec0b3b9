import type { Tensor, TypedArray } from '@espalier/core';
import { dataTypes } from './data-types.js';
import type { ExternalRange } from './encode-context.js';
import type { Draft } from './schema.js';

/** The bytes of a tensor's elements, by reference. Strings have none. */
export const rawBytes = (data: TypedArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A tensor as a TensorProto: raw data by reference, strings in string_data, or a range of another file. */
export function encodeTensor(
  tensor: Tensor,
  { name, external }: { readonly name?: string; readonly external?: ExternalRange | undefined } = {},
): Draft<'Tensor'> {
  const head = { name, dims: tensor.shape, data_type: dataTypes[tensor.dtype].code };
  if (tensor.dtype === 'string') return { ...head, string_data: tensor.data };
  if (!external) return { ...head, raw_data: rawBytes(tensor.data) };
  const { location, offset, length } = external;
  return {
    ...head,
    external_data: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value: `${value}` })),
    data_location: 1,
  };
}
