import { allocate, isFloat, isPacked, longs, type Tensor, type TypedArray, tensor } from '@espalier/core';
import { encodeTensor, rawBytes } from './encode-tensor.js';
import type { Draft } from './schema.js';

/** Approximate bytes that the messages of a sparse tensor take beyond those of a dense one. */
const overhead = 64;

/**
 * A floating-point tensor as a SparseTensorProto with the places of its values in row-major order, when that takes
 * less than the dense form: with n of N elements of b bytes set, when n (b + 8) + 64 < N b. An element counts as set
 * when any of its bits is, so that negative zeros survive.
 */
export function encodeSparseTensor(source: Tensor, name: string): Draft<'SparseTensor'> | undefined {
  const { dtype, data, shape } = source;
  if (dtype === 'string' || !isFloat(dtype) || isPacked(dtype) || shape.length === 0) return undefined;
  const elements = data as TypedArray; // floats are never strings
  const bits = bitsView(elements);
  const width = elements.BYTES_PER_ELEMENT;
  const most = Math.floor((elements.byteLength - overhead - 1) / (width + 8));
  const places: number[] = [];
  for (let i = 0; i < elements.length; i++) {
    if (isZero(bits, i, width)) continue;
    if (places.length >= most) return undefined;
    places.push(i);
  }
  const values = allocate(dtype, places.length) as Float32Array; // any class of numbers: only copied by index
  for (let i = 0; i < places.length; i++) values[i] = (elements as Float32Array)[places[i]!]!;
  return {
    values: encodeTensor(tensor(dtype, [places.length], values as never), { name }), // allocated for this dtype
    indices: encodeTensor(longs(places)),
    dims: shape,
  };
}

type Bits = Uint8Array | Uint16Array | Uint32Array;

// 64-bit elements are looked at as pairs of 32 bits.
function bitsView(elements: TypedArray): Bits {
  const { buffer, byteOffset, byteLength } = elements;
  switch (elements.BYTES_PER_ELEMENT) {
    case 1:
      return rawBytes(elements);
    case 2:
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    default:
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
  }
}

const isZero = (bits: Bits, i: number, width: number): boolean =>
  width === 8 ? bits[2 * i] === 0 && bits[2 * i + 1] === 0 : bits[i] === 0;
