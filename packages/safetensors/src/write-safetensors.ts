import { alignmentOf, byteLength, type Tensor } from '@espalier/core';
import { nameOfDtype } from './dtype-names.js';
import { unsupported } from './errors.js';
import type { Safetensors } from './safetensors.js';

/**
 * Writes tensors as a safetensors file, in chunks that refer to the tensors' own elements. Tensors are ordered by
 * falling alignment, then name, so that equal content gives equal bytes and every tensor is aligned.
 * @throws SAFETENSORS_UNSUPPORTED for texts and packed types.
 */
export function writeSafetensors({
  tensors,
  metadata,
}: Pick<Safetensors, 'tensors'> & Partial<Safetensors>): readonly Uint8Array[] {
  const order = [...tensors].sort(([a, x], [b, y]) => alignmentOf(y.dtype) - alignmentOf(x.dtype) || (a < b ? -1 : 1));
  const header: [string, unknown][] = [];
  if (metadata?.size)
    header.push(['__metadata__', Object.fromEntries([...metadata].sort(([a], [b]) => (a < b ? -1 : 1)))]);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const [name, each] of order) {
    const dtype = nameOfDtype(each.dtype);
    if (!dtype || name === '__metadata__') throw unsupported(`tensor "${name}"`, each.dtype);
    const end = at + byteLength(each);
    header.push([name, { dtype, shape: each.shape, data_offsets: [at, end] }]);
    chunks.push(bytesOf(each));
    at = end;
  }
  const body = header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
  const text = new TextEncoder().encode(`{${body}}`);
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(32);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  return [padded, ...chunks];
}

const bytesOf = (source: Tensor): Uint8Array =>
  source.dtype === 'string'
    ? new Uint8Array(0) // refused by the caller: safetensors has no texts
    : new Uint8Array(source.data.buffer, source.data.byteOffset, source.data.byteLength);
