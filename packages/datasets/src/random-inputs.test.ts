import { memoryFiles, type Port, toNumbers } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { randomInputs } from './random-inputs.js';

const port = (name: string, dtype: Port['dtype'], shape?: Port['shape']): Port => ({
  name,
  dtype,
  ...(shape ? { shape } : {}),
});
const open = (inputs: readonly Port[], options: Parameters<typeof randomInputs>[0] = {}, seed = 0) =>
  randomInputs(options)({ files: memoryFiles(), inputs, seed });

describe('random', () => {
  it('makes normal floats and small whole numbers for every input, without its batch axis', async () => {
    const set = await open(
      [port('x', 'float32', ['N', 3, 8, 8]), port('ids', 'int64', ['N', 'sequence']), port('m', 'bool', ['N', 2])],
      { take: 64 },
    );
    const read = await set.read(Array.from({ length: 64 }, (_, i) => i));
    expect([...read.values()].map(({ shape }) => shape)).toEqual([
      [64, 3, 8, 8],
      [64, 64],
      [64, 2],
    ]);
    const x = toNumbers(read.get('x')!);
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(x.reduce((a, b) => a + b * b, 0) / x.length - 1)).toBeLessThan(0.05);
    expect(new Set(toNumbers(read.get('ids')!))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(new Set(toNumbers(read.get('m')!))).toEqual(new Set([0, 1]));
  });

  it('makes the same sample for the same seed, whatever was read before', async () => {
    const inputs = [port('x', 'float32', [1, 4])];
    const [a, b, c] = [await open(inputs), await open(inputs), await open(inputs, { seed: 1 })];
    await a.read([0, 1, 2]);
    expect((await a.read([7])).get('x')).toEqual((await b.read([7])).get('x'));
    expect((await c.read([7])).get('x')).not.toEqual((await b.read([7])).get('x'));
  });

  it('makes uniform floats and takes sizes and bounds as options', async () => {
    const set = await open([port('x', 'float16', ['N', 'h']), port('i', 'int8', ['N', 1])], {
      distribution: 'uniform',
      dims: ['h=500'],
      below: 1000,
    });
    const read = await set.read([0]);
    const x = toNumbers(read.get('x')!);
    expect([x.length, x.every((value) => value >= 0 && value <= 1)]).toEqual([500, true]);
    expect(toNumbers(read.get('i')!).every((value) => value >= 0 && value < 128)).toBe(true);
  });

  it('feeds whole feeds where samples cannot be stacked along one axis', async () => {
    const set = await open([port('x', 'float32', [1, 8]), port('cache', 'float32', [2, 1, 8])], { take: 3 });
    const read = await set.read([0, 1, 2]);
    expect([...read.values()].map(({ shape }) => shape)).toEqual([
      [3, 1, 8],
      [3, 2, 1, 8],
    ]);
  });

  it('refuses to go without a model', async () => {
    await expect(randomInputs({})({ files: memoryFiles(), seed: 0 })).rejects.toThrow(/only goes with a model/);
  });

  it.each([
    ['a size that the model does not have', [port('x', 'float32', ['N', 'h'])], { dims: ['hh=3'] }, /Did you mean "h"/],
    ['an input without a shape', [port('x', 'float32')], {}, /the rank of input "x" is not known/],
    [
      'a size that is none',
      [port('x', 'float32', ['N', 'h'])],
      { dims: ['h=big'] },
      /VALUE a whole number of 1 or more/,
    ],
  ])('refuses %s', async (_, inputs, options, message) => {
    await expect((async () => open(inputs, options))()).rejects.toThrow(message);
  });
});
