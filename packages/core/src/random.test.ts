import { describe, expect, it } from 'vitest';
import { createRandom, restoreRandom } from './random.js';

const take = (count: number, make: () => number) => Array.from({ length: count }, make);
const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

describe('random numbers', () => {
  it('are the same for the same seed, today and tomorrow', () => {
    const random = createRandom(7);
    expect([random.next(), random.next(), random.normal(), random.below(1000)]).toMatchInlineSnapshot(`
      [
        0.2338277214186818,
        0.44891458133395923,
        -1.2870249601100738,
        844,
      ]
    `);
    expect([...random.permutation(8)]).toMatchInlineSnapshot(`
      [
        6,
        5,
        7,
        0,
        3,
        1,
        2,
        4,
      ]
    `);
    expect(random.state()).toMatchInlineSnapshot(`
      [
        1181139165,
        3225871680,
        2632767121,
        2506426518,
      ]
    `);
    expect(createRandom(7).fork('weights').next()).toMatchInlineSnapshot(`0.21209369378403797`);
  });

  it('differ for near and for large seeds', () => {
    const seeds = [0, 1, 2, 3, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
    expect(new Set(seeds.map((seed) => createRandom(seed).next())).size).toBe(seeds.length);
  });

  it('are uniform: mean 1/2, variance 1/12, no correlation with the one before', () => {
    const random = createRandom(1);
    const values = take(100_000, random.next);
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((x) => (x - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    expect(mean(values.slice(1).map((x, i) => (x - 0.5) * (values[i]! - 0.5)))).toBeCloseTo(0, 2);
  });

  it('are normal: mean 0, variance 1, kurtosis 3', () => {
    const random = createRandom(2);
    const values = take(100_000, random.normal);
    expect(mean(values)).toBeCloseTo(0, 1);
    expect(mean(values.map((x) => x ** 2))).toBeCloseTo(1, 1);
    expect(Math.abs(mean(values.map((x) => x ** 4)) - 3)).toBeLessThan(0.15);
  });

  it('hit every whole number below a limit about as often', () => {
    const random = createRandom(3);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400); // over four standard deviations
  });

  it('permute every number once, every place about as often', () => {
    const random = createRandom(4);
    const first = new Array<number>(5).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const order = random.permutation(5);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      first[order[0]!]!++;
    }
    for (const count of first) expect(Math.abs(count - 4000)).toBeLessThan(250);
    expect(random.permutation(0)).toHaveLength(0);
  });

  it('go on from a saved state', () => {
    const random = createRandom(5);
    take(10, random.next);
    const again = restoreRandom(JSON.parse(JSON.stringify(random.state())));
    expect(take(5, again.next)).toEqual(take(5, random.next));
  });

  it('refuse a damaged state', () => {
    expect(() => restoreRandom([0, 0, 0, 0])).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: random state: expected four whole numbers from 0 to 2^32 - 1, not all 0, as \`state()\` gives, found [0,0,0,0]. The saved state is damaged: start again from a seed.]`,
    );
    for (const state of [
      [1, 2, 3],
      [1, 2, 3, 4.5],
      [1, 2, 3, -4],
      [1, 2, 3, Number.NaN],
    ]) {
      expect(() => restoreRandom(state)).toThrow(expect.objectContaining({ code: 'RANDOM_STATE' }));
    }
  });

  it('fork without moving, equally for equal names and independently for others', () => {
    const random = createRandom(6);
    const before = random.state();
    const [a, again, b] = [random.fork('a'), random.fork('a'), random.fork('b')].map((each) => take(20_000, each.next));
    expect(random.state()).toEqual(before);
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
    const own = take(20_000, random.next);
    for (const [x, y] of [
      [a!, b!],
      [a!, own],
      [b!, own],
    ] as const) {
      expect(Math.abs(mean(x.map((each, i) => (each - 0.5) * (y[i]! - 0.5))))).toBeLessThan(0.0024); // four standard errors
    }
  });
});
