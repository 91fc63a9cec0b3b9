import { evidenceOf, needKey, noEvidence } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { activation } from './activation.js';

const scores = (
  measure: 'mean' | 'l2' | 'zeros',
  answers: Readonly<Record<string, readonly number[]>>,
  target = unitTarget([[1], [1]]),
) => {
  const pruner = activation({ measure });
  const needs = pruner.units!.needs({} as never, [target]);
  const found = new Map(
    needs.map((need) => [needKey(need), Float64Array.from(answers['value' in need ? need.value : '']!)]),
  );
  return [...pruner.units!.score(target, evidenceOf(found, 1))!];
};

describe('activation', () => {
  it('is the mean size, the root of the mean square, or the share that is not zero', () => {
    // Activations [0, 0, 3, -4] and [0, 0, 0, 0].
    expect(scores('mean', { h: [1.75, 0] })).toEqual([1.75, 0]);
    expect(scores('l2', { h: [6.25, 0] })).toEqual([2.5, 0]);
    expect(scores('zeros', { h: [0.5, 1] })).toEqual([0.5, 0]);
  });

  it('takes the mean over all places of a unit', () => {
    const [place] = unitTarget([[1], [1]]).activations;
    const flat = { ...place!, value: 'flat', indices: Int32Array.of(0, 1, 2, 3), each: 2 };
    const target = unitTarget([[1], [1]], { activations: [place!, flat] });
    expect(scores('mean', { h: [1, 2], flat: [3, 5, 4, 0] }, target)).toEqual([3, 2]);
  });

  it('cannot judge units that no layer reads, and asks for evidence', () => {
    expect(activation().units!.score(unitTarget([[1]], { activations: [] }), noEvidence)).toBeUndefined();
    expect(() => activation().units!.score(unitTarget([[1]]), noEvidence)).toThrow(/evidence of it/);
  });
});
