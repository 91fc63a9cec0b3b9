import { type Port, sizeOf, storageLength, type Tensor } from '@espalier/core';
import { unsupportedType, wrongFeed } from './errors.js';

/** Checks names, dtypes, shapes and storage of feeds. @throws EXECUTOR_INPUT, EXECUTOR_UNSUPPORTED_TYPE. */
export function checkFeeds(inputs: readonly Port[], feeds: ReadonlyMap<string, Tensor>): void {
  const names = inputs.map(({ name }) => name);
  const sizes = new Map<string, number>();
  for (const name of feeds.keys()) {
    if (names.includes(name)) continue;
    const expected =
      names.length > 0 ? `only the model's inputs (${names.join(', ')})` : 'no feeds: the model has no inputs';
    throw wrongFeed(name, { expected, found: 'a feed of another name', known: names });
  }
  for (const input of inputs) {
    if (input.container) throw unsupportedType(`input "${input.name}"`, 'a value that is not a tensor');
    const feed = feeds.get(input.name);
    const expected = `${input.dtype}[${input.shape ? input.shape.join(',') : '...'}]`;
    if (!feed) throw wrongFeed(input.name, { expected, found: 'no feed of this name' });
    const found = `${feed.dtype}[${feed.shape.join(',')}]`;
    if (feed.dtype !== input.dtype || !fits(input, feed)) throw wrongFeed(input.name, { expected, found });
    const wanted = storageLength(feed.dtype, sizeOf(feed.shape));
    if (feed.data.length !== wanted)
      throw wrongFeed(input.name, { expected: `${wanted} stored elements for ${found}`, found: `${feed.data.length}` });
    input.shape?.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const size = feed.shape[axis]!; // ranks are equal, as fits() checked
      const known = sizes.get(dim);
      if (known !== undefined && known !== size)
        throw wrongFeed(input.name, {
          expected: `size ${known} for "${dim}", as in the other inputs`,
          found: `${size}`,
        });
      sizes.set(dim, size);
    });
  }
}

const fits = ({ shape }: Port, feed: Tensor): boolean =>
  shape === undefined ||
  (shape.length === feed.shape.length &&
    shape.every((dim, axis) => typeof dim === 'string' || dim === feed.shape[axis]));
