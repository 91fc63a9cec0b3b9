import { createGraph, floats, fromNumbers } from '@espalier/core';
import { gunzipSync, gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { compressedSizes } from './compressed-sizes.js';

test('zeros compress, and sparse storage takes 12 bytes for each float that is left', async () => {
  const sparse = new Float32Array(30_000);
  for (let i = 0; i < 100; i++) sparse[i * 300] = Math.sin(i + 1);
  const graph = createGraph({ inputs: [], outputs: [], nodes: [], constants: new Map([['w', floats(sparse)]]) });
  const sizes = await compressedSizes(graph);
  expect(sizes.bytes).toBe(120_000);
  expect(sizes.sparseBytes).toBe(1200);
  expect(sizes.gzipBytes).toBeLessThan(3000);
});

test('a constant that is dense stays dense, and so do packed and textual ones', async () => {
  const constants = new Map([
    ['dense', floats([1, 2, 3])],
    ['packed', fromNumbers('int4', [4], [0, 0, 0, 0])],
    ['words', { dtype: 'string' as const, shape: [2], data: ['ab', 'c'] }],
  ]);
  const sizes = await compressedSizes(createGraph({ inputs: [], outputs: [], nodes: [], constants }));
  expect(sizes.bytes).toBe(12 + 2 + 3);
  expect(sizes.sparseBytes).toBe(17);
});

test('bytes in several chunks are measured as one stream', async () => {
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 251);
  const sizes = await compressedSizes([bytes.subarray(0, 1000), bytes.subarray(1000)]);
  const whole = gzipSync(bytes);
  expect(gunzipSync(whole)).toHaveLength(sizes.bytes);
  expect(sizes.gzipBytes / whole.length).toBeGreaterThan(0.7);
  expect(sizes.gzipBytes / whole.length).toBeLessThan(1.4);
});
