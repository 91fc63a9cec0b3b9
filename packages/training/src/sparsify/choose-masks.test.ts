import { buildGraph, floats, tensor } from '@espalier/core';
import { magnitude } from '@espalier/pruners';
import { describe, expect, it } from 'vitest';
import { toyModel } from '../../test/toy.js';
import { chooseMasks } from './choose-masks.js';

const choose = (more: object = {}) =>
  chooseMasks({ options: { pruner: magnitude(), sparsity: 0.5, ...more }, keepZeros: true, evidence: undefined });

describe('chooseMasks', () => {
  it('masks every weight it is asked about, those without zeros by ones', async () => {
    const masks = await choose({ overrides: { 'fc*': 0.01 } })(toyModel(), 0.5);
    expect([...masks.keys()].sort()).toEqual(['conv.weight', 'fc.weight']);
    expect([...masks.get('fc.weight')!.data]).toEqual(Array(24).fill(1));
    expect([...masks.get('conv.weight')!.data].filter((each) => each === 0)).toHaveLength(36);
  });

  it('keeps zeros of weights that it is not asked about', async () => {
    const model = toyModel();
    const weight = model.constants.get('fc.weight')!;
    const holed = floats([0, ...Array.from(weight.data as Float32Array).slice(1)], weight.shape);
    const pruned = { ...model, constants: new Map([...model.constants, ['fc.weight', holed]]) };
    const masks = await choose({ only: ['conv*'] })(pruned, 0.5);
    expect([...masks.get('fc.weight')!.data].indexOf(0)).toBe(0);
  });

  it('refuses to prune what training does not move', async () => {
    const b = buildGraph();
    const half = b.constant('half', tensor('float16', [2, 2], Uint16Array.of(1, 2, 3, 4)));
    b.output(b.add('MatMul', [b.input('x', 'float16', ['batch', 2]), half]));
    await expect(choose()(b.finish(), 0.5)).rejects.toThrow(
      /weight "half": expected a float32 parameter that training moves/,
    );
  });
});
