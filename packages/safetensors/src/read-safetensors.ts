import { alignmentOf, bytesFor, type DType, sizeOf, storageLength, type Tensor, tensor, viewAs } from '@espalier/core';
import { dtypeNames } from './dtype-names.js';
import { malformed } from './errors.js';
import type { Safetensors } from './safetensors.js';

const largestHeader = 100_000_000; // bytes; the format's own bound

/**
 * Reads a safetensors file: u64 header length, JSON header, then the elements without gaps or overlaps. Tensors are
 * views of the given bytes where the alignment allows, so keep the bytes unchanged.
 * @throws SAFETENSORS_MALFORMED with the tensor or offset.
 */
export function readSafetensors(bytes: Uint8Array, where = 'safetensors'): Safetensors {
  if (bytes.length < 8) throw malformed(where, 'a header length of 8 bytes', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > largestHeader || length > bytes.length - 8) {
    throw malformed(
      `${where}, byte 0`,
      `a header of at most ${Math.min(largestHeader, bytes.length - 8)} bytes`,
      String(length),
    );
  }
  const header = parseHeader(bytes.subarray(8, 8 + length), where);
  const body = bytes.subarray(8 + length);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of header) {
    if (name === '__metadata__') readMetadata(value, metadata, where);
    else entries.push(readEntry(name, value, `${where}, tensor "${name}"`));
  }
  checkCover(entries, body.length, where);
  return { tensors: new Map(entries.map((entry) => [entry.name, tensorOf(entry, body)])), metadata };
}

interface Entry {
  readonly name: string;
  readonly dtype: Exclude<DType, 'string'>;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function parseHeader(bytes: Uint8Array, where: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(`${where}, header`, 'UTF-8 JSON', cause instanceof Error ? cause.message : String(cause));
  }
  if (!isRecord(value))
    throw malformed(`${where}, header`, 'an object', Array.isArray(value) ? 'a list' : typeof value);
  return new Map(Object.entries(value));
}

function readMetadata(value: unknown, into: Map<string, string>, where: string): void {
  if (!isRecord(value)) throw malformed(`${where}, __metadata__`, 'an object of texts', JSON.stringify(value));
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw malformed(`${where}, __metadata__.${key}`, 'a text', JSON.stringify(text));
    into.set(key, text);
  }
}

function readEntry(name: string, value: unknown, where: string): Entry {
  if (!isRecord(value)) throw malformed(where, 'an object with dtype, shape and data_offsets', JSON.stringify(value));
  const { dtype: named, shape, data_offsets: offsets } = value;
  if (typeof named !== 'string' || !Object.hasOwn(dtypeNames, named)) {
    throw malformed(where, `a dtype of ${Object.keys(dtypeNames).join(', ')}`, JSON.stringify(named));
  }
  const dtype = dtypeNames[named as keyof typeof dtypeNames]; // checked just above
  if (!isCounts(shape)) throw malformed(where, 'a shape of whole numbers', JSON.stringify(shape));
  if (!isCounts(offsets) || offsets.length !== 2) throw malformed(where, 'two data_offsets', JSON.stringify(offsets));
  const [begin, end] = offsets as readonly [number, number]; // two, as checked
  const wanted = bytesFor(dtype, sizeOf(shape));
  if (end - begin !== wanted)
    throw malformed(where, `${wanted} bytes for ${named}[${shape.join(',')}]`, `${end - begin}`);
  return { name, dtype, shape, begin, end };
}

function checkCover(entries: readonly Entry[], length: number, where: string): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw malformed(`${where}, tensor "${name}"`, `elements that begin at byte ${at} of the data`, `${begin}`);
    at = end;
  }
  if (at !== length) throw malformed(where, `${at} bytes of data`, `${length}`);
}

function tensorOf({ dtype, shape, begin, end }: Entry, body: Uint8Array): Tensor {
  const part = body.subarray(begin, end);
  const aligned = part.byteOffset % alignmentOf(dtype) === 0 ? part : part.slice();
  return tensor(dtype, shape, viewAs(dtype, aligned, storageLength(dtype, sizeOf(shape))));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
