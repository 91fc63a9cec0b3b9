import { floats, fromNumbers, type Session, type Tensor } from '@espalier/core';
import { expect, test } from 'vitest';
import { evaluateSession } from './evaluate-session.js';

/** A session that returns the scores it is fed, and a second output that is no list of classes. */
const session: Session = {
  inputs: [{ name: 'x', dtype: 'float32' }],
  outputs: [
    { name: 'mask', dtype: 'float32' },
    { name: 'y', dtype: 'float32' },
  ],
  run: async (feeds, fetch) => {
    const x = feeds.get('x')!;
    const all = new Map<string, Tensor>([
      ['mask', floats([0])],
      ['y', x],
    ]);
    return fetch ? new Map(fetch.map((name) => [name, all.get(name)!])) : all;
  },
  close: async () => {},
};
const batch = (rows: readonly (readonly number[])[], labels: readonly number[]) =>
  new Map<string, Tensor>([
    ['x', floats(rows.flat(), [rows.length, rows[0]!.length])],
    ['label', fromNumbers('int32', [labels.length, 1], labels)],
  ]);

test('accuracy and cross-entropy of logits over several batches', async () => {
  const found = await evaluateSession(session, [
    batch(
      [
        [2, 1, 0],
        [0, 0, 3],
      ],
      [0, 1],
    ),
    batch([[-1, 5, 1]], [1]),
  ]);
  const loss = (row: readonly number[], label: number) =>
    Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label]!;
  expect(found).toMatchObject({ samples: 3, output: 'y', scores: 'logits' });
  expect(found.metrics.top1).toBeCloseTo(2 / 3, 12);
  expect(found.metrics.loss).toBeCloseTo((loss([2, 1, 0], 0) + loss([0, 0, 3], 1) + loss([-1, 5, 1], 1)) / 3, 6);
  expect(found.metrics).not.toHaveProperty('top5');
});

test('rows that are at least 0 and sum to 1 are probabilities; one rounded to zero costs -ln 1e-7', async () => {
  const found = await evaluateSession(session, [
    batch(
      [
        [0.5, 0.25, 0.25],
        [0, 1, 0],
      ],
      [0, 2],
    ),
  ]);
  expect(found.scores).toBe('probabilities');
  expect(found.metrics.loss).toBeCloseTo((Math.LN2 - Math.log(1e-7)) / 2, 6);
  const forced = await evaluateSession(session, [batch([[0.5, 0.25, 0.25]], [0])], { scores: 'logits' });
  expect(forced.scores).toBe('logits');
});

test('of equal scores the first one wins, and ten classes give the five best too', async () => {
  const row = [9, 9, 8, 7, 6, 5, 4, 3, 2, 1];
  const found = await evaluateSession(session, [batch([row, row, row], [0, 1, 5])]);
  expect(found.metrics).toMatchObject({ top1: 1 / 3, top5: 2 / 3 });
});

test('labels that are missing, too few or out of range are errors', async () => {
  const rows = [
    [1, 2],
    [3, 4],
  ];
  const unlabelled = new Map([...batch(rows, [0, 1])].filter(([name]) => name === 'x'));
  for (const bad of [unlabelled, batch(rows, [0]), batch(rows, [0, 2]), batch(rows, [-1, 0])]) {
    await expect(evaluateSession(session, [bad])).rejects.toMatchObject({ code: 'EVALUATE_LABELS' });
  }
});

test('an output without class scores, an unknown output and no data are errors', async () => {
  await expect(evaluateSession(session, [batch([[1], [2]], [0, 0])])).rejects.toMatchObject({
    code: 'EVALUATE_OUTPUT',
  });
  await expect(evaluateSession(session, [batch([[1, 2]], [0])], { output: 'z' })).rejects.toMatchObject({
    code: 'EVALUATE_OUTPUT',
  });
  await expect(evaluateSession(session, [])).rejects.toMatchObject({ code: 'ANALYSIS_EMPTY' });
});
