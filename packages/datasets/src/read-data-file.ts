import { type Files, missingFile } from '@espalier/core';
import { badFormat, tooLarge } from './errors.js';

/** Bytes that unpacking may produce unless an option says otherwise: 4 GiB. */
export const unpackedLimit = 2 ** 32;

/** Reads a whole file and unpacks it when it is a gzip file. @throws FILE_MISSING, DATA_LIMIT, DATA_FORMAT. */
export async function readDataFile(files: Files, path: string, limit = unpackedLimit): Promise<Uint8Array> {
  const size = await files.size(path);
  if (size === undefined) throw missingFile(path);
  if (size > limit) {
    throw tooLarge(path, { expected: `at most ${limit} bytes`, found: `a file of ${size} bytes` });
  }
  const bytes = await files.read(path);
  return isGzip(bytes) ? gunzip(bytes, { where: path, limit }) : bytes;
}

/** Whether bytes begin like a gzip file (RFC 1952). */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Unpacks gzip, stopping as soon as more than `limit` bytes come out.
 * @throws DATA_LIMIT beyond the limit, DATA_FORMAT for damaged or truncated data.
 */
export async function gunzip(
  bytes: Uint8Array,
  { where, limit = unpackedLimit }: { readonly where: string; readonly limit?: number },
): Promise<Uint8Array> {
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  // A failure shows on the reading side too; without this it would also be an unhandled rejection.
  const written = writer
    .write(bytes as Uint8Array<ArrayBuffer>) // a typed array over any buffer is written all the same
    .then(() => writer.close())
    .catch(() => {});
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      const found = cause instanceof Error ? cause.message : String(cause);
      throw badFormat(where, { expected: 'a complete gzip file', found: found || 'damaged data' });
    });
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel().catch(() => {});
      throw tooLarge(where, {
        expected: `at most ${limit} bytes when unpacked`,
        found: `more, from ${bytes.length} packed bytes`,
        fix: 'Raise the option `limit` if you trust the file.',
      });
    }
    parts.push(value);
  }
  await written;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
