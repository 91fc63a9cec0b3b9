import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildGraph, createRegistry, floats, noEvidence } from '@espalier/core';
import { magnitude } from '@espalier/pruners';
import { describePruning, runKit } from '@espalier/testing';
import { plugins, rows } from './index.js';
import { smallestRows } from './row-scores.js';

runKit(describePruning(rows, { with: { sparsity: 0.5 }, registry: createRegistry([magnitude]) }), { describe, it });

it('takes the rows with the smallest sums, the first of equal ones', () => {
  const scores = Float32Array.of(1, 1, 5, 0, 3, 3);
  assert.deepEqual([...smallestRows(scores, { shape: [3, 2], axis: 0, sparsity: 0.5 })], [0]);
  assert.deepEqual([...smallestRows(new Float32Array(6), { shape: [2, 3], axis: 1, sparsity: 0.7 })], [0, 1]);
});

it('sets the weights of an output to zero, whatever its axis', () => {
  const b = buildGraph();
  const w = b.constant('w', floats([1, -5, 2, 6], [2, 2])); // the columns of MatMul's weight make its outputs: 3 and 11
  b.output(b.add('MatMul', [b.input('x', 'float32', [1, 2]), w], { name: 'y' }));
  const { graph, notes } = rows({ pruner: magnitude(), sparsity: 0.5 })(b.finish()).apply(noEvidence);
  assert.deepEqual([...graph.constants.get('w').data], [0, -5, 0, 6]);
  assert.equal(notes[0].reason, '1 of 2 rows are zero.');
});

it('is found under the name `plugins`', () => {
  assert.deepEqual(
    plugins.map(({ kind, id }) => `${kind} ${id}`),
    ['pruning rows'],
  );
});
