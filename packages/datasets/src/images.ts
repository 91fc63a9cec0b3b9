import { type Dataset, definePlugin, type Tensor, tensor, type ValueInfo } from '@espalier/core';
import { decodeImage, type Pixels } from './decode-image.js';
import { drawOptions, limitBytes, limitOption } from './draw-options.js';
import { badShape } from './errors.js';
import { filesInside, type ImageFile, imageFiles } from './image-files.js';
import { type ImageHeader, imageHeader } from './image-header.js';
import { balancedOrder } from './subset.js';
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
    const found = await imageFiles(context.files, { path: options.path, limit: limitBytes(options) });
    const set = classify(filesInside(found, options.split, options.path), options.path);
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

interface ImageFiles {
  readonly files: readonly ImageFile[];
  readonly labels?: Int32Array;
  readonly classes?: readonly string[];
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
