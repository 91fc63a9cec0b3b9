import { createRandom, type Dataset, floats, type Tensor } from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { expect, it } from 'vitest';
import { heldOut } from './held-out.js';
import type { DataSource } from './recipe.js';

const numbers = (count: number): Dataset => {
  const random = createRandom(1);
  const data = Float32Array.from({ length: count }, () => random.next());
  return tensorSet({ name: 'numbers', fields: new Map<string, Tensor>([['x', floats(data, [count, 1])]]) });
};

const takeOf = ({ with: options }: DataSource): number => Number(options?.['take']);

it('draws further samples of a source that says how its images become numbers', async () => {
  const opened: DataSource[] = [];
  const open = async (source: DataSource) => {
    opened.push(source);
    return numbers(Math.min(100, takeOf(source)));
  };
  const preprocess = { mean: [0.5], std: [0.25] };
  const source: DataSource = { use: 'images', with: { path: 'images', take: 20 }, preprocess };
  const found = await heldOut(source, numbers(20), { open, least: 1, seed: 0 });
  expect(found.heldOut!.size).toBe(64);
  expect(opened).toEqual([{ use: 'images', with: { path: 'images', take: 85 }, preprocess }]);
});

it('splits a source that is used whole', async () => {
  const found = await heldOut('random:40', numbers(40), { open: async () => numbers(40), least: 1, seed: 0 });
  expect([found.calibration.size, found.heldOut!.size]).toEqual([32, 8]);
});
