import { createRegistry, memoryFiles, type Port, toNumbers } from '@espalier/core';
import { randomInputs, synthetic } from '@espalier/datasets';
import { describe, expect, it } from 'vitest';
import { batchesFor, openData } from './open-data.js';

const registry = createRegistry([randomInputs, synthetic]);
const context = (inputs: readonly Port[]) => ({
  registry,
  files: memoryFiles(),
  inputs,
  seed: 1,
  where: 'data',
  progress: () => {},
});
const shapes = async (batches: AsyncIterable<ReadonlyMap<string, { readonly shape: readonly number[] }>>) => {
  const seen: string[] = [];
  for await (const batch of batches) seen.push([...batch].map(([name, { shape }]) => `${name}[${shape}]`).join(' '));
  return seen;
};

describe('openData', () => {
  it('fits images to the layout and size of the input, and carries labels on request', async () => {
    const inputs: readonly Port[] = [{ name: 'x', dtype: 'float32', shape: ['N', 8, 8, 3] }];
    const dataset = await openData('synthetic:test:5', context(inputs));
    expect(await shapes(batchesFor(dataset, inputs, { batch: 2, labels: true })())).toEqual([
      'x[2,8,8,3] label[2]',
      'x[2,8,8,3] label[2]',
      'x[1,8,8,3] label[1]',
    ]);
  });

  it('keeps to a batch size that the model fixes, and leaves out what does not fill it', async () => {
    const inputs: readonly Port[] = [{ name: 'x', dtype: 'float32', shape: [2, 3, 8, 8] }];
    const dataset = await openData('synthetic:test:5', context(inputs));
    expect(await shapes(batchesFor(dataset, inputs)())).toEqual(['x[2,3,8,8]', 'x[2,3,8,8]']);
  });

  it('feeds a recurrent model whole inputs: its state has the batch second, its rate is a scalar', async () => {
    const inputs: readonly Port[] = [
      { name: 'input', dtype: 'float32', shape: ['batch', 'sequence'] },
      { name: 'state', dtype: 'float32', shape: [2, 'batch', 128] },
      { name: 'sr', dtype: 'int64', shape: [] },
    ];
    const dataset = await openData('random:2,sequence=576,sr=16000', context(inputs));
    const seen = ['input[1,576] state[2,1,128] sr[]', 'input[1,576] state[2,1,128] sr[]'];
    expect(await shapes(batchesFor(dataset, inputs)())).toEqual(seen);
    for await (const batch of batchesFor(dataset, inputs)()) expect(toNumbers(batch.get('sr')!)).toEqual([16000]);
  });
});
