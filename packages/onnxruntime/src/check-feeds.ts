import { type Port, sizeOf, storageLength, type Tensor } from '@espalier/core';
import { unsupportedType, wrongFeed } from './errors.js';

/**
 * Checks feeds against the inputs of a model: every input given, no other name, and dtype, rank, fixed sizes and
 * storage as declared.
 * @throws EXECUTOR_INPUT, EXECUTOR_UNSUPPORTED_TYPE for inputs that are not tensors.
 */
export function checkFeeds(inputs: readonly Port[], feeds: ReadonlyMap<string, Tensor>, runtime: string): void {
  const names = inputs.map((input) => input.name);
  for (const name of feeds.keys()) {
    if (names.includes(name)) continue;
    throw wrongFeed(name, {
      expected: names.length ? `only the model's inputs (${names.join(', ')})` : 'no feeds: the model has no inputs',
      found: 'a feed of another name',
      known: names,
    });
  }
  for (const input of inputs) {
    if (input.container) throw unsupportedType(`input "${input.name}"`, `a ${describeContainer(input)}`, runtime);
    const feed = feeds.get(input.name);
    if (!feed) {
      throw wrongFeed(input.name, {
        expected: describePort(input),
        found: 'no feed of this name',
        fix: `Feeds given: ${[...feeds.keys()].join(', ') || 'none'}.`,
      });
    }
    checkFeed(input, feed);
  }
}

function checkFeed(input: Port, feed: Tensor): void {
  const { name, shape } = input;
  const fits =
    feed.dtype === input.dtype &&
    (shape === undefined ||
      (shape.length === feed.shape.length &&
        shape.every((dim, axis) => typeof dim === 'string' || dim === feed.shape[axis])));
  if (!fits) {
    throw wrongFeed(name, { expected: describePort(input), found: `${feed.dtype}[${feed.shape.join(',')}]` });
  }
  const wanted = storageLength(feed.dtype, sizeOf(feed.shape));
  if (feed.data.length !== wanted) {
    throw wrongFeed(name, {
      expected: `${wanted} stored elements for ${feed.dtype}[${feed.shape.join(',')}]`,
      found: `${feed.data.length}`,
    });
  }
}

const describePort = ({ dtype, shape }: Port): string => `${dtype}[${shape ? shape.join(',') : '...'}]`;

const describeContainer = ({ container, dtype }: Port): string =>
  `${container?.map((each) => (typeof each === 'string' ? each : `map from ${each.mapFrom}`)).join(' of ')} of ${dtype}`;
