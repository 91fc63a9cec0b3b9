import type { Files } from '@espalier/core';
import { badShape, nothingFound } from './errors.js';
import { readDataFile } from './read-data-file.js';
import { isTar, readTar } from './tar.js';

/** One image file: its path and how to get its bytes. */
export interface ImageFile {
  readonly path: string;
  bytes(): Promise<Uint8Array>;
  /** The first bytes, enough for most headers. */
  head(): Promise<Uint8Array>;
}

const pictures = /\.(png|jpe?g)$/i;
const headBytes = 65536;

/** The PNG and JPEG files below a folder or inside an archive, sorted. @throws FILE_MISSING, DATA_*. */
export async function imageFiles(
  files: Files,
  { path, limit }: { readonly path: string; readonly limit: number },
): Promise<readonly ImageFile[]> {
  if ((await files.size(path)) === undefined) return filesBelow(files, path.replace(/\/+$/, ''), '', 0);
  const bytes = await readDataFile(files, path, limit);
  if (!isTar(bytes)) {
    throw badShape(path, {
      expected: 'a folder, or a .tar or .tar.gz of a folder',
      found: 'another kind of file',
      fix: 'For one image, put it into a folder.',
    });
  }
  return readTar(bytes, path)
    .filter(({ name }) => wanted(name))
    .map(({ name, bytes }) => ({
      path: name.replace(/^(\.?\/)+/, ''),
      bytes: async () => bytes,
      head: async () => bytes,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

// Files that systems leave behind (`._x.png`, `.DS_Store`) are no images.
const wanted = (path: string) =>
  pictures.test(path) && !path.split('/').some((part) => /^\.[^.]|^__MACOSX$/.test(part));

async function filesBelow(files: Files, root: string, below: string, depth: number): Promise<ImageFile[]> {
  const out: ImageFile[] = [];
  for (const name of await files.list(below ? `${root}/${below}` : root)) {
    const path = below ? `${below}/${name}` : name;
    const full = `${root}/${path}`;
    if (name.endsWith('/')) {
      if (depth < 3 && !name.startsWith('.'))
        out.push(...(await filesBelow(files, root, path.slice(0, -1), depth + 1)));
    } else if (wanted(path)) {
      out.push({
        path,
        bytes: () => files.read(full),
        head: async () => files.read(full, { offset: 0, length: Math.min(headBytes, (await files.size(full)) ?? 0) }),
      });
    }
  }
  return out;
}

/**
 * The files below the folder `split`, with paths relative to it. Archives often hold one folder around everything
 * (`test/airplane/0000.jpg`): it is looked through.
 * @throws DATA_EMPTY when nothing is left.
 */
export function filesInside(found: readonly ImageFile[], split: string, where: string): readonly ImageFile[] {
  const wantedFolder = split.replace(/^\/+|\/+$/g, '');
  let files = found.map((file) => ({ file, parts: file.path.split('/') }));
  const tops = () => [...new Set(files.map(({ parts }) => parts[0]!))];
  const descend = (folder: string) => {
    files = files
      .filter(({ parts }) => parts.length > 1 && parts[0] === folder)
      .map(({ file, parts }) => ({ file, parts: parts.slice(1) }));
  };
  let names = tops();
  while (names.length === 1 && names[0] !== wantedFolder && files.every(({ parts }) => parts.length > 2)) {
    descend(names[0]!);
    names = tops();
  }
  if (wantedFolder) descend(wantedFolder);
  if (files.length === 0) {
    throw nothingFound(where, {
      expected: `PNG or JPEG images${wantedFolder ? ` in a folder ${wantedFolder}` : ''}`,
      found: names.length ? `only ${names.slice(0, 8).join(', ')}` : 'none',
    });
  }
  return files.map(({ file, parts }) => ({ ...file, path: parts.join('/') }));
}
