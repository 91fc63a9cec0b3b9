import { describe, expect, it } from 'vitest';
import { checkFeeds } from './check-feeds.js';
import type { EspalierError } from './errors.js';
import type { Port } from './executor.js';
import { floats, longs, type Tensor } from './tensor.js';

const ports: readonly Port[] = [
  { name: 'x', dtype: 'float32', shape: ['n', 2] },
  { name: 'y', dtype: 'float32', shape: ['n'] },
];
const feeds = (...more: readonly (readonly [string, Tensor])[]) =>
  new Map<string, Tensor>([['x', floats([1, 2], [1, 2])], ['y', floats([1])], ...more]);
const failure = (given: ReadonlyMap<string, Tensor>, inputs = ports): EspalierError => {
  try {
    checkFeeds(inputs, given, { equalNames: true });
  } catch (cause) {
    return cause as EspalierError; // what it throws is one
  }
  throw new Error('nothing was refused');
};

describe('checkFeeds', () => {
  it('takes what fits, and any shape where none is declared', () => {
    checkFeeds(ports, feeds(), { equalNames: true });
    checkFeeds([{ name: 'z', dtype: 'int64' }], new Map([['z', longs([1, 2], [2, 1, 1])]]));
  });

  it.each<[string, ReadonlyMap<string, Tensor>, string]>([
    [
      'a missing one',
      new Map([['x', floats([1, 2], [1, 2])]]),
      'input "y": expected float32[n], found no feed of this name. Feeds given: x.',
    ],
    [
      'another name',
      feeds(['Y', floats([1])]),
      `only the model's inputs (x, y), found a feed of another name. Did you mean "y"?`,
    ],
    ['another dtype', feeds(['y', longs([1])]), 'expected float32[n], found int64[1]'],
    ['another rank', feeds(['y', floats([1], [1, 1])]), 'expected float32[n], found float32[1,1]'],
    ['another size', feeds(['x', floats([1], [1, 1])]), 'expected float32[n,2], found float32[1,1]'],
    [
      'too little storage',
      feeds(['y', { dtype: 'float32', shape: [2], data: new Float32Array(1) }]),
      'expected 2 stored elements for float32[2], found 1',
    ],
    [
      'two sizes of one name',
      feeds(['y', floats([1, 2])]),
      'input "y": expected size 1 for "n", as in the other inputs, found 2',
    ],
  ])('refuses %s, naming it', (_, given, message) => {
    const error = failure(given);
    expect(error.code).toBe('EXECUTOR_INPUT');
    expect(error.message).toContain(message);
  });

  it('leaves sizes of one name to the runtime unless told otherwise', () => {
    expect(() => checkFeeds(ports, feeds(['y', floats([1, 2])]))).not.toThrow();
  });

  it('refuses inputs that are not tensors', () => {
    const error = failure(new Map(), [{ name: 's', dtype: 'float32', container: ['sequence', { mapFrom: 'int64' }] }]);
    expect(error.code).toBe('EXECUTOR_UNSUPPORTED_TYPE');
    expect(error.message).toContain('input "s": expected a tensor, found a sequence of map from int64 of float32.');
  });
});
