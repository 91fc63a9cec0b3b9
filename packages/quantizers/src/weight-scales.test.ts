import { createRandom } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { perBlock } from './granularity.js';
import { int4Weights } from './grid.js';
import { weightScales } from './weight-scales.js';

const scalesFor = (values: readonly number[], clip: 'minmax' | 'mse' = 'mse') =>
  weightScales(Float32Array.from(values), [values.length, 1], {
    grid: int4Weights,
    granularity: perBlock(0, values.length),
    clip,
  })!;

function squaredError(values: readonly number[], scale: number): number {
  return values.reduce((sum, value) => {
    const code = Math.max(-8, Math.min(7, Math.round(value / scale)));
    return sum + (value - code * scale) ** 2;
  }, 0);
}

describe('scales of least squared error', () => {
  it('find the grid that the weights lie on', () => {
    expect(scalesFor([-4, -1, 0, 1.5, 3.5]).scale[0]).toBe(0.5);
  });

  it('are negative where the largest weight is positive and needs the eighth step', () => {
    expect(scalesFor([4, 1, 0, -1.5, -3.5]).scale[0]).toBe(-0.5);
  });

  it('are 1 for a block of zeros', () => {
    expect([...scalesFor([0, 0, 0, 0]).scale]).toEqual([1]);
  });

  it('are within 2 % of the least error that 4,000 scales reach, and below that of the whole range', () => {
    const random = createRandom(3);
    const sums = { fitted: 0, whole: 0, least: 0 };
    for (let i = 0; i < 100; i++) {
      const block = Array.from({ length: 32 }, () => Math.fround(random.normal()));
      const largest = Math.max(...block.map(Math.abs));
      const tried = Array.from({ length: 4000 }, (_, k) => (largest * (k - 2000 || 1)) / 8000).filter(
        (scale) => Math.abs(scale) > largest / 12,
      );
      sums.fitted += squaredError(block, scalesFor(block).scale[0]!);
      sums.whole += squaredError(block, scalesFor(block, 'minmax').scale[0]!);
      sums.least += Math.min(...tried.map((scale) => squaredError(block, scale)));
    }
    expect(sums.fitted).toBeLessThan(1.02 * sums.least);
    expect(sums.fitted).toBeLessThan(0.8 * sums.whole);
  });
});
