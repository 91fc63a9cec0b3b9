import { problem } from './errors.js';

/**
 * The few things packages do with files. Paths use `/` and are relative to a root that an implementation may
 * confine them to; a path that leaves it is an error.
 */
export interface Files {
  /** Size in bytes; undefined when there is no such file. */
  size(path: string): Promise<number | undefined>;
  /** Bytes of a file or of a range of it. @throws FILE_MISSING, FILE_RANGE, FILE_OUTSIDE. */
  read(path: string, range?: ByteRange): Promise<Uint8Array>;
  /**
   * Writes a whole file from chunks: under a temporary name first, then renamed, so that a reader sees the old
   * file or the new one, never half.
   */
  write(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Renames a file, replacing what stands at `to`. @throws FILE_MISSING. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all it holds, never the root; nothing happens when it is not there. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted; folders end with `/`. @throws FILE_MISSING. */
  list(folder: string): Promise<readonly string[]>;
  /** Whether a file stands at `path` that nobody may write to. Absent where there are no permissions. */
  isProtected?(path: string): Promise<boolean>;
  /** The absolute path on the disk, for programs that open files themselves; absent where there is no disk. */
  locate?(path: string): Promise<string>;
  /**
   * The files below a folder, which no path and no link can leave: for paths that a model names. Absent where paths
   * are confined already.
   */
  within?(folder: string): Files;
}

/** `length` bytes from `offset`. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The error for a file that is not there. */
export const missingFile = (path: string, cause?: unknown) =>
  problem('FILE_MISSING', { where: path, expected: 'a file', found: 'nothing', fix: 'Check the path.', cause });

/** The error for a file that is there but that the system does not open. */
export const unreadableFile = (path: string, cause: unknown) =>
  problem('FILE_UNREADABLE', {
    where: path,
    expected: 'a file that can be read',
    found: cause instanceof Error ? cause.message : String(cause),
    fix: 'Check its permissions.',
    cause,
  });

/** The error for a range beyond the end of a file. */
export const badRange = (path: string, range: ByteRange, size: number) =>
  problem('FILE_RANGE', {
    where: path,
    expected: `bytes ${range.offset} to ${range.offset + range.length}`,
    found: `a file of ${size} bytes`,
    fix: 'The file is truncated, or the reference to it is wrong.',
  });

/** Refuses a range that is not of whole numbers within a file. @throws FILE_RANGE. */
export function checkRange(path: string, range: ByteRange, size: number): void {
  const { offset, length } = range;
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!whole || length > size - offset) throw badRange(path, range, size);
}

/** The error for a path that leaves the folder it must stay in. */
export const outsidePath = (path: string) =>
  problem('FILE_OUTSIDE', {
    where: path,
    expected: 'a relative path inside the folder',
    found: 'an absolute path, a "..", a link that leaves it, or the folder itself',
    fix: 'Move the file into the folder.',
  });

/** Splits a relative path into its parts. @throws FILE_OUTSIDE for absolute paths, `..`, drive letters and NULs. */
export function pathParts(path: string): readonly string[] {
  const parts = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (/^[/\\]|^[a-zA-Z]:|\0/.test(path) || parts.includes('..')) throw outsidePath(path);
  return parts;
}

/** The folder part of a path, `''` at the root. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** A path beside another one: `beside('a/model.onnx', 'w.bin')` is `a/w.bin`. */
export const beside = (path: string, name: string): string => (folderOf(path) ? `${folderOf(path)}/${name}` : name);

/** Files in memory, for browsers and tests. The map is written to. */
export function memoryFiles(content: Map<string, Uint8Array> = new Map()): Files {
  const normal = (path: string) => pathParts(path).join('/');
  const below = (path: string) => {
    const found = normal(path);
    if (found === '') throw outsidePath(path);
    return found;
  };
  return {
    size: async (path) => content.get(normal(path))?.length,
    async read(path, range) {
      const bytes = content.get(normal(path));
      if (!bytes) throw missingFile(path);
      if (!range) return bytes;
      checkRange(path, range, bytes.length);
      return bytes.subarray(range.offset, range.offset + range.length);
    },
    async write(path, chunks) {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      content.set(below(path), joinBytes(parts));
    },
    async move(from, to) {
      const bytes = content.get(normal(from));
      if (!bytes) throw missingFile(from);
      const target = below(to);
      content.delete(normal(from));
      content.set(target, bytes);
    },
    async remove(path) {
      const gone = below(path);
      for (const key of [...content.keys()]) if (key === gone || key.startsWith(`${gone}/`)) content.delete(key);
    },
    async list(folder) {
      const prefix = normal(folder) ? `${normal(folder)}/` : '';
      const names = new Set<string>();
      for (const path of content.keys()) {
        if (!path.startsWith(prefix)) continue;
        const rest = path.slice(prefix.length);
        names.add(rest.includes('/') ? rest.slice(0, rest.indexOf('/') + 1) : rest);
      }
      if (names.size === 0) throw missingFile(folder);
      return [...names].sort();
    },
  };
}

/** One array from several. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
