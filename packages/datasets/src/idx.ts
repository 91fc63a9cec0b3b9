import { type Dataset, definePlugin, reshaped, type Tensor } from '@espalier/core';
import { draw, drawOptions, limitBytes, limitOption } from './draw-options.js';
import { badShape } from './errors.js';
import { readIdx } from './idx-format.js';
import { readDataFile } from './read-data-file.js';
import { tensorSet } from './tensor-set.js';

/** Images and labels in two IDX files, as MNIST has them; gzip is unpacked. */
export const idx = definePlugin({
  kind: 'dataset',
  id: 'idx',
  about: 'Images and labels in two IDX files, as MNIST has them; gzip is unpacked.',
  options: {
    images: { type: 'text', about: 'the IDX file of the images' },
    labels: { type: 'text', default: '', about: 'the IDX file of the labels; empty for images without labels' },
    ...limitOption,
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const limit = limitBytes(options);
    const images = await readDataFile(context.files, options.images, limit);
    const labels = options.labels ? await readDataFile(context.files, options.labels, limit) : undefined;
    const dataset = idxSet({
      name: 'idx',
      images: { bytes: images, where: options.images },
      ...(labels ? { labels: { bytes: labels, where: options.labels } } : {}),
    });
    return draw(dataset, options, context);
  },
});

/** Unpacked bytes and the name they have in messages. */
interface Named {
  readonly bytes: Uint8Array;
  readonly where: string;
}

/** A data set from the unpacked bytes of IDX files. @throws DATA_FORMAT, DATA_SHAPE. */
export function idxSet(parts: {
  readonly name: string;
  readonly images: Named;
  readonly labels?: Named;
  readonly classes?: readonly string[];
}): Dataset {
  const images = withChannels(readIdx(parts.images.bytes, parts.images.where), parts.images.where);
  const fields = new Map<string, Tensor>([['image', images]]);
  if (parts.labels) fields.set('label', readIdx(parts.labels.bytes, parts.labels.where));
  return tensorSet({ name: parts.name, fields, ...(parts.classes ? { classes: parts.classes } : {}) });
}

function withChannels(images: Tensor, where: string): Tensor {
  if (images.shape.length === 4) return images;
  if (images.shape.length === 3) return reshaped(images, [...images.shape, 1]);
  throw badShape(where, {
    expected: 'images [N, height, width] or [N, height, width, channels]',
    found: `${images.dtype}[${images.shape.join(',')}]`,
    fix: 'Name the file of the images first, then that of the labels.',
  });
}
