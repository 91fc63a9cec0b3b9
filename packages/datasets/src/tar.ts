import { badFormat } from './errors.js';

/** A regular file inside a tar archive; `bytes` is a view into the archive. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const block = 512;
const longest = 65536; // bytes of a long name or of extended headers

/**
 * The regular files of a tar archive (POSIX.1-1988 ustar with its name prefix, pax paths, GNU long names). Links,
 * devices and folders are left out. Sizes and offsets are checked, so a hostile archive cannot loop or overrun.
 * @throws DATA_FORMAT with the offset of the bad header.
 */
export function readTar(archive: Uint8Array, where: string): readonly TarEntry[] {
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + block <= archive.length; ) {
    const header = archive.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) break;
    const size = sizeIn(header, where, at);
    const start = at + block;
    if (start + size > archive.length) {
      throw badFormat(where, { expected: `${size} bytes of an entry`, found: 'the end of the archive', offset: start });
    }
    const bytes = archive.subarray(start, start + size);
    const type = String.fromCharCode(header[156]!);
    at = start + Math.ceil(size / block) * block;
    if (type === 'L' || type === 'x') {
      if (size > longest) {
        throw badFormat(where, { expected: `a name of at most ${longest} bytes`, found: `${size}`, offset: start });
      }
      longName = type === 'L' ? textOf(bytes) : (paxPath(bytes) ?? longName);
    } else {
      if (type === '0' || type === '\0' || type === '7') entries.push({ name: longName ?? nameIn(header), bytes });
      if (type !== 'g') longName = undefined;
    }
  }
  return entries;
}

/** Whether the bytes begin with a tar header, by its checksum. */
export const isTar = (bytes: Uint8Array): boolean => bytes.length >= block && checksumFits(bytes.subarray(0, block));

function sizeIn(header: Uint8Array, where: string, offset: number): number {
  if (!checksumFits(header)) {
    throw badFormat(where, { expected: 'a tar header with a right checksum', found: 'other bytes', offset });
  }
  const size = numberOf(header.subarray(124, 136));
  if (size === undefined) throw badFormat(where, { expected: 'the size of an entry', found: 'other bytes', offset });
  return size;
}

// The sum of the header's bytes with the checksum field itself read as spaces.
function checksumFits(header: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  return sum === numberOf(header.subarray(148, 156));
}

// Octal digits, or big-endian binary behind a byte 0x80 (GNU, for sizes beyond 8 GiB).
function numberOf(field: Uint8Array): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = textOf(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function nameIn(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = textOf(header.subarray(257, 262)) === 'ustar' ? textOf(header.subarray(345, 500)) : '';
  return prefix && header[262] === 0 ? `${prefix}/${name}` : name;
}

// Records `LENGTH path=NAME\n`, where LENGTH counts the whole record (POSIX.1-2001 pax).
function paxPath(bytes: Uint8Array): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = space < 0 ? 0 : Number(textOf(bytes.subarray(at, space)));
    if (!Number.isInteger(length) || length <= space - at) break;
    const record = textOf(bytes.subarray(space + 1, at + length - 1));
    if (record.startsWith('path=')) found = record.slice(5);
    at += length;
  }
  return found;
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
