import { type DatasetLoader, definePlugin } from '@espalier/core';
import { platformStore } from '#platform';
import { findPublished } from './data-store.js';
import { draw, drawOptions } from './draw-options.js';
import { idxSet } from './idx.js';
import type { PublishedFile } from './published-file.js';

type Part = 'train-images' | 'train-labels' | 't10k-images' | 't10k-labels';

/** A data set that is published as four IDX files under the names that MNIST gave them. */
interface PublishedSet<Id extends string> {
  readonly id: Id;
  readonly about: string;
  readonly address: string;
  readonly classes: readonly string[];
  /** SHA-256 of the unpacked files. */
  readonly sha256: Readonly<Record<Part, string>>;
}

// Headers of 16 and 8 bytes, 28x28 pixels and one label byte for each of 60,000 or 10,000 samples.
const contentBytes: Readonly<Record<Part, number>> = {
  'train-images': 16 + 60000 * 784,
  'train-labels': 8 + 60000,
  't10k-images': 16 + 10000 * 784,
  't10k-labels': 8 + 10000,
};

/** The plugin for a set that is published as MNIST is. */
export const publishedIdx = <Id extends string>(set: PublishedSet<Id>) =>
  definePlugin({
    kind: 'dataset',
    id: set.id,
    about: set.about,
    options: {
      split: {
        type: 'choice',
        of: ['train', 'test'],
        default: 'test',
        about: 'the 60,000 to train or the 10,000 to test',
      },
      mirror: {
        type: 'text',
        default: '',
        about: 'address of a folder with the four files, tried before the official one; checksums are compared anyway',
      },
      ...drawOptions,
    },
    create:
      (options): DatasetLoader =>
      async (context) => {
        const store = context.store ?? platformStore();
        const stem = options.split === 'train' ? 'train' : 't10k';
        const load = async (kind: 'images' | 'labels') => {
          const file = publishedFile(set, `${stem}-${kind}`, options.mirror);
          const bytes = (await findPublished(context.files, file)) ?? (await store.fetch(file, context.progress));
          return { bytes, where: file.path };
        };
        const [images, labels] = [await load('images'), await load('labels')];
        return draw(idxSet({ name: set.id, images, labels, classes: set.classes }), options, context);
      },
  });

function publishedFile<Id extends string>(set: PublishedSet<Id>, part: Part, mirror: string): PublishedFile {
  const name = `${part}-idx${part.endsWith('images') ? 3 : 1}-ubyte.gz`;
  const folders = [mirror, set.address].filter((folder) => folder !== '');
  return {
    path: `${set.id}/${name}`,
    addresses: folders.map((folder) => `${folder.replace(/\/+$/, '')}/${name}`),
    bytes: contentBytes[part],
    sha256: set.sha256[part],
  };
}
