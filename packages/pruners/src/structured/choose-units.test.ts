import { describe, expect, it } from 'vitest';
import { chooseUnits } from './choose-units.js';
import type { Group } from './group.js';

const group = (id: string, units: number): Group => ({ id, units, slices: [], prunable: true });
const cost = () => ({ parameters: 1, bytes: 1, macs: 1 });
const choose = (
  scores: Readonly<Record<string, readonly number[]>>,
  choice: Omit<Parameters<typeof chooseUnits>[2], 'kinds'> & { readonly kinds?: Readonly<Record<string, string>> },
) => {
  const groups = Object.entries(scores).map(([id, list]) => [group(id, list.length), Float64Array.from(list)] as const);
  const { kinds, ...rest } = choice;
  const map = new Map(groups.map(([each]) => [each, kinds?.[each.id] ?? '']));
  return Object.fromEntries(
    chooseUnits(new Map(groups), cost, { multiple: 1, ...rest, ...(kinds ? { kinds: map } : {}) }),
  );
};

describe('an isomorphic choice', () => {
  const scores = { a: [1, 2, 9, 8], b: [3, 4, 5, 6], c: [100, 300, 200, 400] };
  const kinds = { a: 'block', b: 'block', c: 'trunk' };

  it('ranks units among groups of their own structure, each structure losing the same share', () => {
    const sparsity = 0.5;
    expect(choose(scores, { sparsity, scope: 'isomorphic', normalize: 'none', kinds })).toEqual({
      a: [0, 1],
      b: [0, 1],
      c: [0, 2],
    });
    // All together, c has no low score at all.
    expect(choose(scores, { sparsity, scope: 'global', normalize: 'none' })).toEqual({
      a: [0, 1],
      b: [0, 1, 2],
      c: [],
    });
  });

  it('is a global one where all groups are alike', () => {
    const sparsity = 0.4;
    const alike = { a: 'x', b: 'x', c: 'x' };
    expect(choose(scores, { sparsity, scope: 'isomorphic', kinds: alike })).toEqual(
      choose(scores, { sparsity, scope: 'global' }),
    );
  });

  it('leaves groups with a share of their own out of the ranking', () => {
    const groups = { a: group('a', 2), b: group('b', 2) };
    const map = new Map([
      [groups.a, Float64Array.of(1, 2)],
      [groups.b, Float64Array.of(3, 4)],
    ]);
    const choice = { sparsity: 0.5, scope: 'isomorphic', fixed: new Map([[groups.a, 0]]) } as const;
    expect(Object.fromEntries(chooseUnits(map, cost, choice))).toEqual({ a: [], b: [0] });
  });
});

describe('widths', () => {
  it('stay multiples of 8 where a group has as many units', () => {
    const scores = Object.fromEntries(
      [4, 8, 20].map((units) => [`g${units}`, Array.from({ length: units }, (_, i) => i)] as const),
    );
    const removed = (choice: object) =>
      Object.values(choose(scores, { sparsity: 0.5, ...choice })).map((units) => units.length);
    expect(removed({ multiple: undefined })).toEqual([2, 0, 4]);
    expect(removed({ multiple: 1 })).toEqual([2, 4, 10]);
  });
});

describe('equal scores', () => {
  it('go in the same share everywhere, and never more than wanted', () => {
    const same = { a: [1, 1, 1, 1], b: [1, 1, 1, 1, 1, 1, 1, 1] };
    const found = choose(same, { sparsity: 0.5, scope: 'global' });
    expect(found).toEqual({ a: [0, 1], b: [0, 1, 2, 3] });
    const zero = { a: [0, 0, 0, 0], b: [0, 0, 0, 0] };
    expect(choose(zero, { sparsity: 0.25, scope: 'global' })).toEqual({ a: [0], b: [0] });
  });

  it('fill up what lower ones leave', () => {
    const some = { a: [0, 5, 5, 5], b: [5, 1, 9, 9] };
    const found = choose(some, { sparsity: 0.5, scope: 'global', normalize: 'none' });
    expect(Object.values(found).flat()).toHaveLength(4);
    expect(found['a']).toContain(0);
    expect(found['b']).toContain(1);
    expect(found['b']).not.toContain(2);
  });

  it('and groups of one unit leave that unit', () => {
    expect(choose({ a: [0], b: [0, 1] }, { sparsity: 1, scope: 'global' })).toEqual({ a: [], b: [0] });
  });
});
