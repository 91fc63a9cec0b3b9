import { bitsOf, type DType, sizeOf, type Tensor, tensor, viewAs } from '@espalier/core';
import { badFormat } from './errors.js';

const elementTypes: ReadonlyMap<number, Exclude<DType, 'string'>> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

/**
 * Reads an IDX file: two zero bytes, an element type, the rank, the dimensions and the elements, all big-endian
 * (Y. LeCun, "The MNIST database", file formats).
 * @throws DATA_FORMAT, with the byte where the file stops making sense.
 */
export function readIdx(bytes: Uint8Array, where: string): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dtype = elementTypes.get(bytes[2] ?? -1);
  const rank = bytes[3] ?? 0;
  if (bytes[0] !== 0 || bytes[1] !== 0 || !dtype || rank < 1 || rank > 8) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw badFormat(where, {
      expected: 'an IDX header: 00 00, type, rank',
      found: found || 'an empty file',
      offset: 0,
    });
  }
  const head = 4 + 4 * rank;
  if (bytes.length < head) {
    throw badFormat(where, { expected: `${rank} dimensions`, found: 'the end of the file', offset: bytes.length });
  }
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const wanted = head + sizeOf(shape) * (bitsOf(dtype) / 8);
  if (bytes.length !== wanted) {
    throw badFormat(where, {
      expected: `${wanted} bytes for ${dtype}[${shape.join(',')}]`,
      found: `${bytes.length}`,
      offset: Math.min(wanted, bytes.length),
    });
  }
  const body = bytes.subarray(head);
  if (bitsOf(dtype) === 8) return tensor(dtype, shape, viewAs(dtype, body, body.length));
  return tensor(dtype, shape, viewAs(dtype, swapped(body, bitsOf(dtype) / 8), sizeOf(shape)));
}

// IDX is big-endian and typed arrays are little-endian on every machine that runs JavaScript engines today.
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < out.length; at += width) {
    for (let i = 0; i < width; i++) out[at + i] = bytes[at + width - 1 - i]!;
  }
  return out;
}
