import { expect, test } from 'vitest';
import { measureLatency } from './latency.js';
import { quantile } from './quantile.js';

const counting = () => {
  const state = { runs: 0 };
  const session = {
    inputs: [],
    outputs: [],
    close: async () => {},
    run: async () => {
      state.runs++;
      return new Map();
    },
  };
  return { state, session };
};

test('runs after the warm-up are measured', async () => {
  const { state, session } = counting();
  const found = await measureLatency(session, new Map(), { runs: 7, warmup: 2 });
  expect(found.runs).toBe(7);
  expect(state.runs).toBe(9);
  expect(found.p10Ms).toBeLessThanOrEqual(found.medianMs);
  expect(found.medianMs).toBeLessThanOrEqual(found.p90Ms);
});

test('time is bounded, with three runs at least', async () => {
  const { session } = counting();
  const found = await measureLatency(session, new Map(), { runs: 1000, seconds: 0 });
  expect(found.runs).toBeGreaterThanOrEqual(3);
  expect(found.runs).toBeLessThan(1000);
});

test('a negative number of runs is refused', async () => {
  await expect(measureLatency(counting().session, new Map(), { runs: -1 })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
  });
});

test('quantiles lie between neighbours', () => {
  expect(quantile([4, 1, 2], 0.25)).toBe(1.5);
  expect(quantile([4, 1, 2], 0.5)).toBe(2);
  expect(quantile([7], 0.9)).toBe(7);
});
