import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { badRange, checkRange, type Files, missingFile, outsidePath, pathParts, unreadableFile } from './files.js';

const most = 2 ** 30; // one read call; Node refuses 2 GiB and more

/**
 * Files below a folder of the disk. With `confine` (the default) no path, and no link in it, may leave the folder.
 * Without it, paths may be absolute: for paths that the user typed, not for those a model names.
 */
export function nodeFiles(root: string, { confine = true }: { readonly confine?: boolean } = {}): Files {
  const base = resolve(root);
  const locate = async (path: string) => {
    if (!confine) return resolve(base, path);
    const full = resolve(base, ...pathParts(path));
    await assertInside(base, full, path);
    return full;
  };
  // The root itself is listed, never written, moved or removed.
  const locateBelow = async (path: string) => {
    const full = await locate(path);
    if (full === base) throw outsidePath(path);
    return full;
  };
  return {
    async size(path) {
      const found = await statOf(await locate(path));
      return found?.isFile() ? found.size : undefined;
    },
    async read(path, range) {
      const full = await locate(path);
      const real = await realpath(full).catch((cause) => {
        throw missingFile(path, cause);
      });
      if (confine && !isInside(real, await realpath(base))) throw outsidePath(path);
      // A link put there since is not followed, and a pipe without a writer does not block.
      const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
      const file = await open(real, flags).catch((cause) => {
        throw unreadableFile(path, cause);
      });
      try {
        const found = await file.stat();
        if (!found.isFile()) throw missingFile(path);
        const { offset, length } = range ?? { offset: 0, length: found.size };
        checkRange(path, { offset, length }, found.size);
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; ) {
          const { bytesRead } = await file.read(bytes, at, Math.min(most, length - at), offset + at);
          if (bytesRead === 0) throw badRange(path, { offset, length }, offset + at);
          at += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
    async write(path, chunks) {
      const full = await locateBelow(path);
      await mkdir(dirname(full), { recursive: true });
      const temporary = resolve(dirname(full), `.${basename(full)}.${randomBytes(6).toString('hex')}.tmp`);
      try {
        const file = await open(temporary, 'wx');
        try {
          for await (const chunk of chunks) {
            for (let at = 0; at < chunk.length; )
              at += (await file.write(chunk, at, Math.min(most, chunk.length - at))).bytesWritten;
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, full);
      } catch (cause) {
        await rm(temporary, { force: true });
        throw cause;
      }
    },
    async move(from, to) {
      const [source, target] = [await locateBelow(from), await locateBelow(to)];
      if (!(await statOf(source))) throw missingFile(from);
      await mkdir(dirname(target), { recursive: true });
      const replaced = await statOf(target);
      await rename(source, target);
      if (replaced?.isFile()) await chmod(target, replaced.mode & 0o777);
    },
    async isProtected(path) {
      const found = await statOf(await locate(path));
      return found?.isFile() === true && (found.mode & 0o222) === 0;
    },
    async remove(path) {
      await rm(await locateBelow(path), { recursive: true, force: true });
    },
    locate,
    ...(confine ? {} : { within: (folder: string) => nodeFiles(resolve(base, folder)) }),
    async list(folder) {
      const full = await locate(folder);
      const found = await readdir(full, { withFileTypes: true }).catch((cause) => {
        throw missingFile(folder, cause);
      });
      return found.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    },
  };
}

function isInside(child: string, parent: string): boolean {
  const way = relative(parent, child);
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
}

async function assertInside(base: string, full: string, path: string): Promise<void> {
  const realBase = await realpath(base).catch(() => base);
  // The deepest part that exists decides: everything below it is still to be made.
  for (let part = full; isInside(part, base); part = dirname(part)) {
    const real = await realpath(part).catch(() => undefined);
    if (real !== undefined) {
      if (!isInside(real, realBase)) throw outsidePath(path);
      return;
    }
    // A link to nowhere: writing through it could leave the folder.
    if (await lstat(part).catch(() => undefined)) throw outsidePath(path);
    if (part === base) return;
  }
}

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);
