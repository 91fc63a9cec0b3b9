import {
  type Dataset,
  type DatasetContext,
  definePlugin,
  type Files,
  type Tensor,
  tensor,
  type ValueInfo,
} from '@espalier/core';
import { decodeImage, type Pixels } from './decode-image.js';
import { drawOptions, limitBytes, limitOption } from './draw-options.js';
import { badShape, nothingFound } from './errors.js';
import { type ImageHeader, imageHeader } from './image-header.js';
import { readDataFile } from './read-data-file.js';
import { balancedOrder } from './subset.js';
import { isTar, readTar } from './tar.js';
import { checkIndices, type LabelledDataset } from './tensor-set.js';

/** PNG and JPEG images in one folder for each class, on disk or inside a tar archive. */
export const images = definePlugin({
  kind: 'dataset',
  id: 'images',
  about: 'PNG and JPEG images in one folder for each class, on disk or inside a .tar or .tar.gz.',
  options: {
    path: {
      type: 'text',
      about: 'a folder of class folders, a folder of images without labels, or an archive of such',
    },
    split: {
      type: 'text',
      default: '',
      about: 'the folder below the path (train, test, val ...) to read; empty for the path itself',
    },
    ...limitOption,
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const found = await find(context, options.path, limitBytes(options));
    const set = classify(inside(found, options.split, options.path), options.path);
    const labels = set.labels;
    const chosen =
      options.take === 0
        ? undefined
        : balancedOrder({ labels, size: set.files.length, seed: context.seed + options.seed }).subarray(
            0,
            options.take,
          );
    return imageSet(chosen ? pick(set, chosen) : set);
  },
});

/** One image file: its path and how to get its bytes. */
interface ImageFile {
  readonly path: string;
  bytes(): Promise<Uint8Array>;
  /** The first bytes, enough for most headers. */
  head(): Promise<Uint8Array>;
}

interface ImageFiles {
  readonly files: readonly ImageFile[];
  readonly labels?: Int32Array;
  readonly classes?: readonly string[];
}

const pictures = /\.(png|jpe?g)$/i;
const headBytes = 65536;

async function find({ files }: DatasetContext, path: string, limit: number): Promise<readonly ImageFile[]> {
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

// Archives often hold one folder around everything (`test/airplane/0000.jpg`): it is looked through.
function inside(found: readonly ImageFile[], split: string, where: string): readonly ImageFile[] {
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

function classify(files: readonly ImageFile[], where: string): ImageFiles {
  const folders = files.map(({ path }) => path.slice(0, Math.max(0, path.indexOf('/'))));
  const classes = [...new Set(folders)].sort((a, b) => (a < b ? -1 : 1));
  if (classes.length === 1 && classes[0] === '') return { files };
  if (classes[0] === '') {
    throw badShape(where, {
      expected: 'all images in class folders, or none',
      found: `images both beside and inside the folders ${classes.slice(1, 6).join(', ')}`,
      fix: 'Move the images into the folders of their classes.',
    });
  }
  const number = new Map(classes.map((name, i) => [name, i]));
  return { files, classes, labels: Int32Array.from(folders, (name) => number.get(name)!) };
}

const pick = ({ files, labels, classes }: ImageFiles, chosen: Uint32Array): ImageFiles => ({
  files: Array.from(chosen, (i) => files[i]!),
  ...(labels ? { labels: Int32Array.from(chosen, (i) => labels[i]!) } : {}),
  ...(classes ? { classes } : {}),
});

// Headers are read up front, so that `fields` tells the truth; pixels are decoded when they are asked for.
async function imageSet({ files, labels, classes }: ImageFiles): Promise<Dataset | LabelledDataset> {
  const headers = await inBatches(files, headerOf);
  const { width, height } = headers[0]!;
  const channels = headers.every((header) => header.channels === 1) ? 1 : 3;
  const same = headers.every((header) => header.width === width && header.height === height);
  const fields = new Map<string, ValueInfo>([
    ['image', { dtype: 'uint8', shape: same ? [height, width, channels] : ['height', 'width', channels] }],
  ]);
  if (labels) fields.set('label', { dtype: 'int32', shape: [] });
  return {
    name: 'images',
    size: files.length,
    fields,
    ...(classes ? { classes } : {}),
    ...(labels ? { labels } : {}),
    async read(indices) {
      checkIndices('images', indices, files.length);
      const decoded = await Promise.all(indices.map(async (i) => decodeImage(await files[i]!.bytes(), files[i]!.path)));
      const out = new Map<string, Tensor>([['image', stacked(decoded, channels)]]);
      return labels ? out.set('label', rowLabels(labels, indices)) : out;
    },
  };
}

const rowLabels = (labels: Int32Array, indices: readonly number[]) =>
  tensor(
    'int32',
    [indices.length],
    Int32Array.from(indices, (i) => labels[i]!),
  );

async function headerOf(file: ImageFile): Promise<ImageHeader> {
  const header = imageHeader(await file.head(), file.path) ?? imageHeader(await file.bytes(), file.path);
  if (header) return header;
  throw badShape(file.path, { expected: 'a complete image', found: 'a file that ends within its header' });
}

async function inBatches<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<readonly R[]> {
  const out: R[] = [];
  for (let at = 0; at < items.length; at += 64) out.push(...(await Promise.all(items.slice(at, at + 64).map(map))));
  return out;
}

function stacked(decoded: readonly Pixels[], channels: 1 | 3) {
  const { width, height } = decoded[0] ?? { width: 0, height: 0 };
  const size = width * height * channels;
  const data = new Uint8Array(decoded.length * size);
  decoded.forEach((image, k) => {
    if (image.width !== width || image.height !== height) {
      throw badShape('data set images', {
        expected: `images of one size in a batch (${width}x${height})`,
        found: `${image.width}x${image.height}`,
        fix: 'Give the preprocessing option `resize`.',
      });
    }
    if (image.channels === channels) data.set(image.data, k * size);
    else for (let i = 0; i < size; i++) data[k * size + i] = image.data[Math.floor(i / 3)]!;
  });
  return tensor('uint8', [decoded.length, height, width, channels], data);
}
