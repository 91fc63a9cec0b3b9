import { allocate, bytesFor, type DType, isPacked, storageLength, type Tensor, tensor } from '@espalier/core';
import { type DecodeContext, placeIn } from './decode-context.js';
import { decodeDims, decodeTensor } from './decode-tensor.js';
import { malformed, type Place, shapeText, unsupported } from './errors.js';
import type { Proto } from './schema.js';

/** A sparse tensor made dense, and the name its values carry. */
export interface Densified {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * A SparseTensorProto as a dense tensor: zeros (empty strings), with the values at their indices, which are given
 * as places in row-major order or as one row of coordinates each.
 * @throws ONNX_LIMIT when the dense form is too large, ONNX_MALFORMED, ONNX_UNSUPPORTED (types below 8 bits).
 */
export function decodeSparseTensor(context: DecodeContext, proto: Proto<'SparseTensor'>, path: string): Densified {
  const place = placeIn(context, proto, path);
  if (!proto.values) throw malformed(place, { expected: 'values', found: 'none' });
  const values = decodeTensor(context, proto.values, `${path}.values`);
  const { shape, size } = decodeDims(proto.dims, place);
  const name = proto.values.name ?? '';
  if (isPacked(values.dtype)) {
    throw unsupported(place, { expected: 'sparse values of 8 bits or more', found: values.dtype });
  }
  context.claim(values.dtype === 'string' ? size * 8 : bytesFor(values.dtype, size), place);
  const count = values.shape[0] ?? 0;
  if (values.shape.length !== 1) {
    throw malformed(place, { expected: 'values of rank 1', found: `shape ${shapeText(values.shape)}` });
  }
  const places = proto.indices
    ? linearIndices(decodeTensor(context, proto.indices, `${path}.indices`), { shape, size, count, place })
    : [];
  if (places.length !== count) throw malformed(place, { expected: `${count} indices`, found: `${places.length}` });
  return { name, tensor: tensor(values.dtype, shape, scatter(values, places, size) as never) }; // of the values' dtype
}

interface Target {
  readonly shape: readonly number[];
  readonly size: number;
  readonly count: number;
  readonly place: Place;
}

function linearIndices(indices: Tensor, { shape, size, count, place }: Target): ArrayLike<number> {
  const rows = indices.shape.length === 2;
  const fits = rows
    ? indices.shape[0] === count && indices.shape[1] === shape.length
    : indices.shape.length === 1 && indices.shape[0] === count;
  if (indices.dtype !== 'int64' || !fits) {
    throw malformed(place, {
      expected: `int64 indices [${count}] or [${count},${shape.length}]`,
      found: `${indices.dtype}${shapeText(indices.shape)}`,
    });
  }
  // Without its elements (external data that is only being listed) there is nothing to check.
  if (indices.data.length === 0) return new Float64Array(count);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const index = rows ? rowIndex(indices.data, i, shape) : Number(indices.data[i]);
    if (!(index >= 0 && index < size)) {
      throw malformed(place, { expected: `indices from 0 to ${size - 1}`, found: `index ${i} outside` });
    }
    out[i] = index;
  }
  return out;
}

// Row-major place of the i-th row of coordinates; NaN when one is outside.
function rowIndex(rows: BigInt64Array, i: number, shape: readonly number[]): number {
  let index = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const coordinate = Number(rows[i * shape.length + axis]);
    if (coordinate < 0 || coordinate >= shape[axis]!) return Number.NaN;
    index = index * shape[axis]! + coordinate;
  }
  return index;
}

function scatter(values: Tensor, places: ArrayLike<number>, size: number): unknown {
  const out = allocate(values.dtype as DType, size) as unknown as unknown[]; // written by index only; of the values' own class
  const step = storageLength(values.dtype, 1);
  if (values.data.length === 0) return out;
  for (let i = 0; i < places.length; i++) {
    for (let j = 0; j < step; j++) out[places[i]! * step + j] = values.data[i * step + j];
  }
  return out;
}
