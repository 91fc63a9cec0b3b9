import { EspalierError, floats, fromNumbers, type Session, type Tensor } from '@espalier/core';
import { expect, test, vi } from 'vitest';
import type { Batch } from './batches.js';
import { compareSessions } from './compare-sessions.js';

/** Milliseconds of a clock that only sessions move. */
let clock = 0;

/** A session that computes something of its input `x`. */
function session(
  outputs: Readonly<Record<string, (x: Tensor) => Tensor>>,
  wait = 0,
): Session & { readonly seen: number[] } {
  const seen: number[] = [];
  return {
    seen,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
    outputs: Object.keys(outputs).map((name) => ({ name, dtype: 'float32' })),
    async run(feeds) {
      expect([...feeds.keys()]).toEqual(['x']);
      const x = feeds.get('x')!;
      seen.push(x.shape[0]!);
      clock += wait;
      return new Map(Object.entries(outputs).map(([name, make]) => [name, make(x)]));
    },
    close: async () => {},
  };
}
const scaled =
  (by: number, shift = 0) =>
  (x: Tensor) =>
    floats(
      Float32Array.from(x.data as Float32Array, (v, i) => v * by + (i % 2) * shift),
      x.shape,
    );
const batches: Batch[] = [
  new Map<string, Tensor>([
    ['x', floats([1, 0, 0, 1, 3, 2], [3, 2])],
    ['label', fromNumbers('int64', [3], [0, 1, 1])],
  ]),
  new Map<string, Tensor>([
    ['x', floats([5, 1], [1, 2])],
    ['label', fromNumbers('int64', [1], [0])],
  ]),
];
const quick = { runs: 3, warmup: 1, seconds: 1 };

test('outputs, agreement, accuracy and bytes of two models are compared', async () => {
  const a = session({ y: scaled(1) });
  const b = session({ y: scaled(1, 1.5) });
  const found = await compareSessions(a, b, { batches, latency: quick, bytes: { a: 400, b: 100 } });
  expect(found.samples).toBe(4);
  // Signal 1+1+9+4+25+1 = 41, noise 4 · 1.5² = 9.
  expect(found.outputs[0]?.snrDb).toBeCloseTo(10 * Math.log10(41 / 9), 9);
  expect(found.outputs[0]).toMatchObject({ name: 'y', maxAbs: 1.5, nonFinite: 0 });
  // b says 1 for the first three samples, a says 0, 1, 0.
  expect(found.top1Agreement).toBe(0.5);
  expect(found.top1).toEqual({ a: 0.75, b: 0.75 });
  expect(found.bytes).toEqual({ a: 400, b: 100, ratio: 0.25 });
});

test('whole numbers are compared by how many are equal', async () => {
  const classes = (values: readonly number[]) => () => fromNumbers('int64', [values.length], values);
  const found = await compareSessions(session({ y: classes([1, 2, 3, 4]) }), session({ y: classes([1, 2, 3, 9]) }), {
    batches,
    latency: false,
  });
  expect(found.outputs[0]).toMatchObject({ agreement: 0.75, maxAbs: 5 });
});

test('latency is measured on one sample, in pairs, and a ratio above 1 means that b is slower', async () => {
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  const a = session({ y: scaled(1) }, 10);
  const b = session({ y: scaled(1) }, 30);
  const { latency } = await compareSessions(a, b, { batches, latency: { ...quick, runs: 9 } });
  now.mockRestore();
  expect(a.seen.slice(2)).toEqual(Array.from({ length: 11 }, () => 1)); // one to see whether a row runs
  expect(latency).toMatchObject({ aMs: 10, bMs: 30, ratio: 3, a: { runs: 9 }, b: { runs: 9 } });
});

test('without labels and latency those parts are null, and it all survives JSON', async () => {
  const plain = batches.map((batch) => new Map([...batch].filter(([name]) => name === 'x')));
  const found = await compareSessions(session({ y: scaled(1) }), session({ y: scaled(1) }), {
    batches: plain,
    latency: false,
  });
  expect(found).toMatchObject({ top1: null, latency: null, bytes: null, top1Agreement: 1 });
  expect(found.outputs[0]?.snrDb).toBe(300);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test('outputs are matched by name, then by position; without a match it is an error', async () => {
  const named = await compareSessions(session({ y: scaled(1), z: scaled(2) }), session({ z: scaled(2) }), {
    batches,
    latency: false,
  });
  expect(named).toMatchObject({ outputs: [{ name: 'z', snrDb: 300 }], unmatched: ['y'] });
  const placed = await compareSessions(session({ y: scaled(1) }), session({ other: scaled(1) }), {
    batches,
    latency: false,
  });
  expect(placed.outputs).toMatchObject([{ name: 'y', snrDb: 300 }]);
  await expect(
    compareSessions(session({ y: scaled(1) }), session({ p: scaled(1), q: scaled(1) }), { batches, latency: false }),
  ).rejects.toMatchObject({ code: 'COMPARE_OUTPUTS' });
});

test('outputs of another size and empty data are errors', async () => {
  const longer = (x: Tensor) => floats(new Float32Array(2 * x.data.length), [x.shape[0]!, 4]);
  await expect(
    compareSessions(session({ y: scaled(1) }), session({ y: longer }), { batches, latency: false }),
  ).rejects.toMatchObject({ code: 'COMPARE_SIZE' });
  await expect(
    compareSessions(session({ y: scaled(1) }), session({ y: scaled(1) }), { batches: [], latency: false }),
  ).rejects.toMatchObject({ code: 'ANALYSIS_EMPTY' });
});

test('a model that does not run on one row of a whole feed is timed on the feed', async () => {
  const picky = (): Session => ({
    ...session({ y: scaled(1) }),
    async run(feeds) {
      const x = feeds.get('x')!;
      if (x.shape[0] !== 3) throw new EspalierError('EXECUTOR_FAILED', 'three rows, please', {});
      return new Map([['y', x]]);
    },
  });
  const whole = [new Map<string, Tensor>([['x', floats([1, 0, 0, 1, 3, 2], [3, 2])]])];
  const { latency } = await compareSessions(picky(), picky(), { batches: whole, latency: quick });
  expect(latency?.a.runs).toBeGreaterThan(0);
});
