import { expect, it } from 'vitest';
import { proposeSizes } from './propose-sizes.js';

const open = (name: string, kind: 'batch' | 'sequence' | 'image') => ({ name, kind });
const firstOf = (count: number, sizes: Iterable<ReadonlyMap<string, number>>) =>
  [...sizes].slice(0, count).map((each) => Object.fromEntries(each));

it('tries short texts beside every size of image, and one token only where there is a cache', () => {
  const proposals = firstOf(
    12,
    proposeSizes([open('N', 'batch'), open('length', 'sequence'), open('height', 'image')]),
  );
  expect(proposals[0]).toEqual({ N: 1, length: 64, height: 64 });
  expect(proposals).toContainEqual({ N: 1, length: 16, height: 64 });
  expect(proposals).toContainEqual({ N: 1, length: 64, height: 224 });
  expect(proposals.every(({ length }) => length !== 1)).toBe(true);
});
