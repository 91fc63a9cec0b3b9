import { type DType, storageLength } from './dtype.js';
import { problem } from './errors.js';
import type { Port } from './executor.js';
import { wrongFeed } from './executor-errors.js';
import { sizeOf } from './tensor.js';

/** A tensor as far as a check looks at it. A value that an executor holds has no `data`. */
export interface Fed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data?: { readonly length: number };
}

/** Requirements of an executor on feeds, beyond the contract. */
export interface FeedRules {
  /** Whether sizes of one name must be equal in all inputs; the runtime finds out by itself unless this is set. */
  readonly equalNames?: boolean;
}

/**
 * Checks feeds against the inputs of a session, for executors: every input given, no other name, and dtype, rank, fixed
 * sizes and storage as declared.
 * @throws EXECUTOR_INPUT, EXECUTOR_UNSUPPORTED_TYPE for inputs that are not tensors.
 */
export function checkFeeds(
  inputs: readonly Port[],
  feeds: ReadonlyMap<string, Fed>,
  { equalNames = false }: FeedRules = {},
): void {
  const names = inputs.map(({ name }) => name);
  for (const name of feeds.keys()) {
    if (names.includes(name)) continue;
    throw wrongFeed(name, {
      expected: names.length ? `only the model's inputs (${names.join(', ')})` : 'no feeds: the model has no inputs',
      found: 'a feed of another name',
      known: names,
    });
  }
  const sizes = new Map<string, number>();
  for (const input of inputs) {
    if (input.container) throw notTensor(input);
    const feed = feeds.get(input.name);
    if (!feed) {
      throw wrongFeed(input.name, {
        expected: describePort(input),
        found: 'no feed of this name',
        fix: `Feeds given: ${[...feeds.keys()].join(', ') || 'none'}.`,
      });
    }
    checkFeed(input, feed);
    if (equalNames) checkNames(input, feed, sizes);
  }
}

function checkFeed(input: Port, feed: Fed): void {
  const { name, shape } = input;
  const found = `${feed.dtype}[${feed.shape.join(',')}]`;
  const fits =
    feed.dtype === input.dtype &&
    (shape === undefined ||
      (shape.length === feed.shape.length &&
        shape.every((dim, axis) => typeof dim === 'string' || dim === feed.shape[axis])));
  if (!fits) throw wrongFeed(name, { expected: describePort(input), found });
  const wanted = storageLength(feed.dtype, sizeOf(feed.shape));
  if (feed.data && feed.data.length !== wanted) {
    throw wrongFeed(name, { expected: `${wanted} stored elements for ${found}`, found: `${feed.data.length}` });
  }
}

/** Notes the sizes that names stand for, and refuses a second size for one name. */
function checkNames({ name, shape }: Port, feed: Fed, sizes: Map<string, number>): void {
  shape?.forEach((dim, axis) => {
    if (typeof dim === 'number') return;
    const size = feed.shape[axis]!; // ranks are equal, as checkFeed found
    const known = sizes.get(dim);
    if (known !== undefined && known !== size) {
      throw wrongFeed(name, { expected: `size ${known} for "${dim}", as in the other inputs`, found: `${size}` });
    }
    sizes.set(dim, size);
  });
}

const notTensor = (input: Port) => {
  const found = `a ${describeContainer(input)}`;
  return problem('EXECUTOR_UNSUPPORTED_TYPE', {
    where: `input "${input.name}"`,
    expected: 'a tensor',
    found,
    fix: 'Build it inside the model, so that inputs are ordinary tensors.',
    details: { type: found },
  });
};

const describePort = ({ dtype, shape }: Port): string => `${dtype}[${shape ? shape.join(',') : '...'}]`;

const describeContainer = ({ container, dtype }: Port): string =>
  `${container?.map((each) => (typeof each === 'string' ? each : `map from ${each.mapFrom}`)).join(' of ')} of ${dtype}`;
