import { buildGraph, checkGraph, floats, type Graph, noEvidence, sizeOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { magnitude } from '../magnitude.js';
import { channelPruning } from '../prunings/channel.js';
import { randomPruner } from '../random-pruner.js';
import { chooseUnits } from './choose-units.js';
import { costModel } from './cost-model.js';
import { coupled } from './coupled.js';
import { scoreUnits } from './score-units.js';

/** x [1, 4] -> a -> Relu -> c -> Relu -> e -> y, with hidden widths 8 and 16; row i of each weight has the size i. */
function mlp(): Graph {
  const b = buildGraph();
  const grown = (name: string, rows: number, columns: number) =>
    b.constant(
      name,
      floats(
        Float32Array.from({ length: rows * columns }, (_, i) => (i % columns) / columns),
        [rows, columns],
      ),
    );
  const first = b.add('Relu', [b.add('MatMul', [b.input('x', 'float32', ['batch', 4]), grown('a', 4, 8)])]);
  const second = b.add('Relu', [b.add('MatMul', [first, grown('c', 8, 16)])]);
  b.output(b.add('MatMul', [second, grown('e', 16, 2)]), 'y');
  return inferShapes(b.finish());
}

const parameters = (graph: Graph) => [...graph.constants.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);

describe('scoreUnits', () => {
  it('adds the squares of a unit over the weights that make and read it', () => {
    const graph = mlp();
    const [first] = coupled(graph).groups.filter(({ prunable }) => prunable);
    const producers = scoreUnits(coupled(graph), [first!], { pruner: magnitude(), weights: 'producers' }).get(first!)!;
    expect(producers[3]).toBeCloseTo(4 * (3 / 8) ** 2, 6);
    const row = Array.from({ length: 16 }, (_, i) => (i / 16) ** 2).reduce((sum, each) => sum + each, 0);
    const all = scoreUnits(coupled(graph), [first!], { pruner: magnitude() }).get(first!)!;
    expect(all[3]).toBeCloseTo(producers[3]! + row, 6);
    const mean = scoreUnits(coupled(graph), [first!], { pruner: magnitude(), reduce: 'mean' }).get(first!)!;
    expect(mean[3]).toBeCloseTo(all[3]! / 20, 6);
  });
});

describe('chooseUnits', () => {
  const choose = (choice: Parameters<typeof chooseUnits>[2]) => {
    const graph = mlp();
    const groups = coupled(graph).groups.filter(({ prunable }) => prunable);
    const scores = scoreUnits(coupled(graph), groups, { pruner: magnitude(), weights: 'producers' });
    return Object.fromEntries(chooseUnits(scores, costModel(coupled(graph)), { multiple: 1, ...choice }));
  };

  it('takes the units with the lowest scores, the same share of each group', () => {
    expect(choose({ sparsity: 0.25 })).toEqual({ 'a/1': [0, 1], 'c/1': [0, 1, 2, 3] });
  });

  it('leaves a multiple, a floor, and what has a share of its own', () => {
    expect(choose({ sparsity: 0.45, multiple: 8 })).toEqual({ 'a/1': [], 'c/1': [] });
    expect(choose({ sparsity: 0.6, multiple: 8 })).toEqual({ 'a/1': [], 'c/1': [0, 1, 2, 3, 4, 5, 6, 7] });
    const floored = choose({ sparsity: 1, minimum: 0.5 });
    expect([floored['a/1']!.length, floored['c/1']!.length]).toEqual([4, 8]);
    expect(choose({ sparsity: 1 })['a/1']).toHaveLength(7);
  });

  it('refuses a share that is none', () => {
    expect(() => choose({ goal: 'macs', sparsity: 1.5 })).toThrow('a share from 0 to 1');
  });
});

describe('the pruning of channels', () => {
  it('gives the parameters that were asked for, as far as whole units allow', () => {
    for (const scope of ['layer', 'global'] as const) {
      const graph = mlp();
      const outcome = channelPruning({ pruner: magnitude(), goal: 'parameters', sparsity: 0.4, scope })(graph).apply(
        noEvidence,
      );
      expect(parameters(checkGraph(outcome.graph)) / parameters(graph)).toBeGreaterThan(0.55);
      expect(parameters(outcome.graph) / parameters(graph)).toBeLessThan(0.65);
      expect(outcome.notes.at(-1)?.details).toMatchObject({
        parameters: { before: parameters(graph), after: parameters(outcome.graph) },
      });
    }
  });

  it('accounts for every group', () => {
    const { notes, graph } = channelPruning({
      pruner: randomPruner({ seed: 3 }),
      sparsity: 0.5,
      multiple: 1,
      overrides: ['a=0.25', 'nothing=0.5'],
      ignore: ['c/*'],
    })(mlp()).apply(noEvidence);
    expect(graph.constants.get('a')!.shape).toEqual([6, 4]); // transposed, as a Gemm reads it
    const found = notes.map(({ value, outcome, reason }) => `${outcome} ${value ?? ''}: ${reason}`);
    expect(found).toContain('pruned a: 2 of 8 units removed, from 2 constants.');
    expect(found).toContain('kept c: A pattern of `ignore` names it.');
    expect(found).toContain('kept e: It cannot be cut: "y" is an output of the graph.');
    expect(found).toContain('warning : The pattern "nothing" of `overrides` does not name a group.');
  });

  it('says when nothing goes, and gives the same graph for the same seed', () => {
    const options = { pruner: randomPruner({ seed: 3 }), sparsity: 0.5 };
    const [first, second] = [mlp(), mlp()].map((graph) => channelPruning(options)(graph).apply(noEvidence).graph);
    expect(first!.constants.get('c')).toEqual(second!.constants.get('c'));
    expect(
      channelPruning({ ...options, sparsity: 0 })(mlp())
        .apply(noEvidence)
        .notes.at(-1)?.reason,
    ).toBe('Nothing was removed.');
  });
});
