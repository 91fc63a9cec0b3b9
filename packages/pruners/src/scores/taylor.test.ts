import { type Evidence, evidenceOf, floats, type Need, needKey, noEvidence, type UnitTarget } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { fisher } from './fisher.js';
import { snip } from './snip.js';
import { taylor } from './taylor.js';

const evidence = (...answers: readonly (readonly [Need, unknown])[]): Evidence =>
  evidenceOf(new Map(answers.map(([need, answer]) => [needKey(need), answer])), 4);
const target = { value: 'w', weight: floats([2, 1], [1, 2]), node: 'fc', op: 'Gemm' };
const gradient = (power: 1 | 2, numbers: readonly number[]) =>
  [{ statistic: 'gradient', value: 'w', power }, Float64Array.from(numbers)] as const;
const rows = (sums: readonly (readonly number[])[], samples: readonly number[]) => ({
  sums: Float32Array.from(sums.flat()),
  size: sums[0]!.length,
  samples: Float64Array.from(samples),
});
const weightRows = (...of: Parameters<typeof rows>) =>
  [{ statistic: 'weightContribution', value: 'w', axis: 0 }, rows(...of)] as const;
const inputRows = (...of: Parameters<typeof rows>) =>
  [{ statistic: 'inputContribution', node: 'fc', slot: 0, axis: 1 }, rows(...of)] as const;
const two = unitTarget([
  [2, 1],
  [1, 1],
]);
const scoresOf = (units: UnitTarget, pruner: ReturnType<typeof taylor>, found: Evidence) => [
  ...pruner.units!.score(units, found)!,
];

describe('taylor', () => {
  it('scores weights by the square of gradient times weight', () => {
    const squares = evidence(gradient(2, [1, 1])); // gradients [1, -1] in each batch
    expect([...taylor({ form: 'weight' }).score!(target, squares)]).toEqual([4, 1]);
    expect([...taylor().score!(target, squares)]).toEqual([4, 1]);
    const means = evidence(gradient(1, [1, -1]));
    expect([...taylor({ form: 'weight', average: 'gradients' }).score!(target, means)]).toEqual([4, 1]);
  });

  it('sums over a unit before it squares, batch by batch or over all data', () => {
    // Unit 0 gives 1 in a batch of 3 samples and -1 in one of 1; unit 1 gives 2 and 2.
    const found = evidence(
      weightRows(
        [
          [1, 2],
          [-1, 2],
        ],
        [3, 1],
      ),
    );
    expect(scoresOf(two, taylor(), found)).toEqual([1, 4]);
    expect(scoresOf(two, taylor({ average: 'gradients' }), found)).toEqual([((3 - 1) / 4) ** 2, 4]);
  });

  it('takes gates where layers read the units, sample by sample', () => {
    const found = evidence(
      inputRows(
        [
          [1, 0],
          [3, 1],
        ],
        [1, 1],
      ),
    );
    expect(scoresOf(two, taylor({ form: 'gate' }), found)).toEqual([5, 0.5]);
    expect(scoresOf(two, taylor({ form: 'gate', average: 'gradients' }), found)).toEqual([4, 0.25]);
  });

  it('adds up all that belongs to a unit, and asks for just that', () => {
    const [slice] = two.slices;
    const further = { ...slice!, value: 'v', axis: 1, indices: Int32Array.of(2, 3, 0, 1), each: 2 };
    const silent = { ...slice!, value: 'b', counts: false };
    const coupled = unitTarget(
      [
        [2, 1],
        [1, 1],
      ],
      { slices: [slice!, further, silent] },
    );
    const needs = taylor().units!.needs({} as never, [coupled]);
    expect(needs).toEqual([
      { statistic: 'weightContribution', value: 'w', axis: 0 },
      { statistic: 'weightContribution', value: 'v', axis: 1 },
    ]);
    const found = evidence(weightRows([[1, 2]], [1]), [needs[1]!, rows([[10, 20, 30, 40]], [1])]);
    expect(scoresOf(coupled, taylor(), found)).toEqual([(1 + 30 + 40) ** 2, (2 + 10 + 20) ** 2]);
  });

  it('knows gates of units alone, and cannot judge a group that no layer reads', () => {
    expect(taylor({ form: 'gate' }).score).toBeUndefined();
    expect(taylor({ form: 'weight' }).units).toBeUndefined();
    expect(taylor({ form: 'gate' }).units!.score(unitTarget([[1]], { inputs: [] }), noEvidence)).toBeUndefined();
  });

  it('says what evidence is missing', () => {
    expect(() => taylor().units!.score(two, noEvidence)).toThrow(
      expect.objectContaining({ code: 'PRUNE_EVIDENCE', message: expect.stringContaining('weightContribution') }),
    );
  });
});

describe('fisher', () => {
  it('is half the square of a weight times the mean square of its gradient', () => {
    expect([...fisher().score!(target, evidence(gradient(2, [5, 0])))]).toEqual([10, 0]);
  });

  it('is half the mean square of what a unit contributes, over samples', () => {
    expect(
      scoresOf(
        two,
        fisher(),
        evidence(
          inputRows(
            [
              [1, 0],
              [3, 1],
            ],
            [1, 1],
          ),
        ),
      ),
    ).toEqual([2.5, 0.25]);
  });
});

describe('snip', () => {
  it('is the size of a weight times that of its mean gradient', () => {
    expect([...snip().score!({ ...target, weight: floats([-2, 3]) }, evidence(gradient(1, [-1, 0])))]).toEqual([2, 0]);
  });
});
