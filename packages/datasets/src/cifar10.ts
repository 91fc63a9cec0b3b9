import { type Dataset, type DatasetContext, definePlugin, type Tensor, tensor } from '@espalier/core';
import { draw, drawOptions, limitBytes, limitOption } from './draw-options.js';
import { badFormat, nothingFound } from './errors.js';
import { readDataFile } from './read-data-file.js';
import { checkIndices, type LabelledDataset } from './tensor-set.js';

/** The classes of CIFAR-10 in the order of their numbers. */
export const cifar10Classes: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

const side = 32;
const plane = side * side;
const record = 1 + 3 * plane;

/** CIFAR-10 in its binary layout: a label byte, then 3,072 bytes of red, green and blue planes. */
export const cifar10 = definePlugin({
  kind: 'dataset',
  id: 'cifar10',
  about: 'CIFAR-10 in its binary layout: a file, or the folder of data_batch_1.bin ... test_batch.bin.',
  options: {
    path: { type: 'text', about: 'the folder of the .bin files, or one such file; .gz is unpacked' },
    split: {
      type: 'choice',
      of: ['train', 'test', 'all'],
      default: 'test',
      about: 'which files of a folder to read; a single file is read whole',
    },
    ...limitOption,
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const limit = limitBytes(options);
    const paths = await filesOf(context, options.path, options.split);
    const parts = await Promise.all(
      paths.map(async (path) => checked(await readDataFile(context.files, path, limit), path)),
    );
    return draw(cifarSet(parts), options, context);
  },
});

async function filesOf({ files }: DatasetContext, path: string, split: 'train' | 'test' | 'all') {
  if ((await files.size(path)) !== undefined) return [path];
  const wanted = {
    train: /^data_batch_\d+\.bin(\.gz)?$/,
    test: /^test_batch\.bin(\.gz)?$/,
    all: /_batch.*\.bin(\.gz)?$/,
  };
  const names = await files.list(path);
  const found = names.filter((name) => wanted[split].test(name));
  if (found.length === 0) {
    throw nothingFound(path, {
      expected: split === 'test' ? 'test_batch.bin' : 'data_batch_1.bin and so on',
      found: names.length ? names.slice(0, 8).join(', ') : 'an empty folder',
      fix: 'Name the folder that the binary version of CIFAR-10 unpacks to, or one file of its layout.',
    });
  }
  return found.map((name) => `${path.replace(/\/$/, '')}/${name}`);
}

function checked(bytes: Uint8Array, where: string): Uint8Array {
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw badFormat(where, { expected: `whole records of ${record} bytes`, found: `${bytes.length} bytes` });
  }
  for (let at = 0; at < bytes.length; at += record) {
    if (bytes[at]! > 9) {
      throw badFormat(where, { expected: 'a label from 0 to 9', found: String(bytes[at]), offset: at });
    }
  }
  return bytes;
}

// Keeps the files as they are; planes become interleaved pixels only for the samples that are read.
function cifarSet(parts: readonly Uint8Array[]): Dataset {
  const records = parts.flatMap((bytes) =>
    Array.from({ length: bytes.length / record }, (_, i) => bytes.subarray(i * record, (i + 1) * record)),
  );
  const labels = Int32Array.from(records, (each) => each[0]!);
  const dataset: LabelledDataset = {
    name: 'cifar10',
    size: records.length,
    fields: new Map([
      ['image', { dtype: 'uint8', shape: [side, side, 3] }],
      ['label', { dtype: 'int32', shape: [] }],
    ]),
    classes: cifar10Classes,
    labels,
    async read(indices) {
      checkIndices('cifar10', indices, records.length);
      const pixels = new Uint8Array(indices.length * 3 * plane);
      for (const [k, index] of indices.entries()) interleave(records[index]!, pixels, k * 3 * plane);
      return new Map<string, Tensor>([
        ['image', tensor('uint8', [indices.length, side, side, 3], pixels)],
        [
          'label',
          tensor(
            'int32',
            [indices.length],
            Int32Array.from(indices, (i) => labels[i]!),
          ),
        ],
      ]);
    },
  };
  return dataset;
}

function interleave(source: Uint8Array, out: Uint8Array, at: number): void {
  for (let p = 0; p < plane; p++) {
    out[at + 3 * p] = source[1 + p]!;
    out[at + 3 * p + 1] = source[1 + plane + p]!;
    out[at + 3 * p + 2] = source[1 + 2 * plane + p]!;
  }
}
