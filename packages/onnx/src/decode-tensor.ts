import {
  alignmentOf,
  allocate,
  bytesFor,
  type DataOf,
  type DType,
  storageLength,
  type Tensor,
  type TypedArray,
  tensor,
  viewAs,
} from '@espalier/core';
import { type DataField, dataTypes, dtypeOf } from './data-types.js';
import { type DecodeContext, placeIn } from './decode-context.js';
import { malformed, type Place, shapeText, unsupported } from './errors.js';
import { externalReference } from './external-reference.js';
import type { Proto } from './schema.js';

/**
 * A TensorProto as a tensor. Raw data becomes a view of the file where its place allows, and a copy otherwise.
 * @throws ONNX_MALFORMED, ONNX_UNSUPPORTED (segments), ONNX_EXTERNAL_PATH.
 */
export function decodeTensor(context: DecodeContext, proto: Proto<'Tensor'>, path: string): Tensor {
  const place = placeIn(context, proto, path);
  if (proto.segment) {
    throw unsupported(place, {
      expected: 'a whole tensor',
      found: 'one segment of a tensor',
      fix: 'Export the model again with whole tensors.',
    });
  }
  const dtype = dtypeOf(proto.data_type);
  if (dtype === undefined) {
    throw malformed(place, { expected: 'a known data_type', found: `${proto.data_type ?? 'none'}` });
  }
  const { shape, size } = decodeDims(proto.dims, place);
  if (proto.data_location === 1) return decodeExternal(context, proto, { dtype, shape, size, place });
  if (dtype === 'string') return tensor(dtype, shape, decodeStrings(proto, size, place));
  if (proto.raw_data) return fromRaw({ dtype, shape, size, place }, proto.raw_data);
  return fromTyped({ dtype, shape, size, place }, proto);
}

interface Facts {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly size: number;
  readonly place: Place;
}

/** The sizes of a shape and their product. @throws ONNX_MALFORMED for negative or unsafe ones. */
export function decodeDims(dims: readonly number[], place: Place): { shape: readonly number[]; size: number } {
  const size = dims.includes(0) ? 0 : dims.reduce((product, dim) => product * dim, 1);
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || !Number.isSafeInteger(size * 16)) {
    throw malformed(place, { expected: 'dims of zero or more that fit in memory', found: shapeText(dims) });
  }
  return { shape: dims, size };
}

function decodeExternal(context: DecodeContext, proto: Proto<'Tensor'>, facts: Facts): Tensor {
  const { dtype, shape, size, place } = facts;
  if (dtype === 'string') {
    throw malformed(place, { expected: 'strings inside the model', found: 'strings in external data' });
  }
  const bytes = context.external(externalReference(proto.external_data, bytesFor(dtype, size), place));
  // While references are only listed, the graph is thrown away: a shape is enough.
  if (!bytes) return { dtype, shape, data: allocate(dtype, 0) } as Tensor; // same dtype twice
  return fromRaw(facts, bytes);
}

function fromRaw({ dtype, shape, size, place }: Facts, raw: Uint8Array): Tensor {
  if (dtype === 'string') throw malformed(place, { expected: 'string_data', found: 'raw_data' });
  const wanted = bytesFor(dtype, size);
  if (raw.length !== wanted) {
    throw malformed(place, {
      expected: `${wanted} bytes for ${dtype}${shapeText(shape)}`,
      found: `${raw.length}`,
    });
  }
  // A Buffer's own slice would share the misaligned bytes.
  const aligned = raw.byteOffset % alignmentOf(dtype) === 0 ? raw : Uint8Array.prototype.slice.call(raw);
  return tensor(dtype, shape, viewAs(dtype, aligned, storageLength(dtype, size)));
}

function decodeStrings({ string_data }: Proto<'Tensor'>, size: number, place: Place): readonly string[] {
  if (string_data.length !== size) throw wrongCount(place, 'string_data', size, string_data.length);
  return string_data;
}

/** Typed fields: one entry an element; one a byte for packed types, two an element for complex ones. */
function fromTyped({ dtype, shape, size, place }: Facts, proto: Proto<'Tensor'>): Tensor {
  const { field } = dataTypes[dtype];
  const entries = proto[field as Exclude<DataField, 'string_data'>]; // strings were handled before
  const wanted = storageLength(dtype, size);
  if ((entries?.length ?? 0) !== wanted) throw wrongCount(place, field, wanted, entries?.length ?? 0);
  return tensor(dtype, shape, entries ? converted(dtype, entries, size) : allocate(dtype, 0));
}

// int32_data and uint64_data hold narrower types too; narrowing drops the upper bits, as C++ readers do.
function converted<D extends DType>(dtype: D, entries: TypedArray, size: number): DataOf[D] {
  if (entries.constructor === allocate(dtype, 0).constructor) return entries as DataOf[D]; // the very same class
  const out = allocate(dtype, size);
  if (entries instanceof BigUint64Array) {
    const narrow = out as Uint32Array; // the only other type that uint64_data holds
    for (let i = 0; i < entries.length; i++) narrow[i] = Number(entries[i]! & 0xffffffffn);
  } else (out as Uint8Array).set(entries as Int32Array); // any class of numbers converts alike
  return out;
}

const wrongCount = (place: Place, field: string, wanted: number, found: number) =>
  malformed(place, { expected: `${wanted} entries of ${field}`, found: `${found}` });
