import {
  buildGraph,
  checkGraph,
  definePlugin,
  fromNumbers,
  type Graph,
  instantiate,
  int,
  noEvidence,
  type Pruner,
  type Tensor,
  tensor,
  toNumbers,
} from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { magnitude } from './magnitude.js';
import { pruneWeights } from './prune-weights.js';
import { randomPruner } from './random-pruner.js';

const weights = (
  values: readonly number[],
  shape: readonly number[],
  dtype: 'float32' | 'float16' | 'float64' | 'bfloat16' = 'float32',
) => fromNumbers(dtype, shape, values);

/** A chain of one MatMul for each weight. */
function matmuls(tensors: Readonly<Record<string, Tensor>>): Graph {
  const b = buildGraph();
  let x = b.input('x', 'float32', ['batch', 4]);
  for (const [name, each] of Object.entries(tensors))
    x = b.add('MatMul', [x, b.constant(name, each)], { name: `${name}_out` });
  b.output(x);
  return b.finish();
}
const one = (op: string, weight: Tensor, attributes = {}): Graph => {
  const b = buildGraph();
  b.output(b.add(op, [b.input('x', 'float32', [1, 4, 4, 4]), b.constant('w', weight)], { attributes, name: 'y' }));
  return b.finish();
};
const numbers = (graph: Graph, value: string) => toNumbers(graph.constants.get(value)!);
const zeros = (graph: Graph, value: string) => numbers(graph, value).filter((each) => each === 0).length;
const reasons = (notes: readonly { readonly reason: string; readonly outcome: string }[]) =>
  notes.map((note) => `${note.outcome}: ${note.reason}`);

describe('pruning single weights', () => {
  it('zeroes the smallest of each layer and keeps the rest bit for bit', () => {
    const graph = matmuls({ a: weights([1, -4, 3, -2], [4, 1]), b: weights([0.5, -0.1, 0.2, 0.3], [1, 4]) });
    const { graph: pruned } = pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(graph).apply(noEvidence);
    expect(numbers(pruned, 'a')).toEqual([0, -4, 3, 0]);
    expect(numbers(pruned, 'b')).toEqual([0.5, 0, 0, 0.3].map(Math.fround));
    expect(numbers(graph, 'a')).toEqual([1, -4, 3, -2]);
    expect(pruned.nodes).toBe(graph.nodes);
    checkGraph(pruned);
  });

  it('ranks all layers together with global scope', () => {
    const graph = matmuls({ a: weights([1, -4, 3, -2], [4, 1]), b: weights([0.5, -0.1, 0.2, 0.3], [1, 4]) });
    const { graph: pruned, notes } = pruneWeights({ pruner: magnitude(), sparsity: 0.5, scope: 'global' })(graph).apply(
      noEvidence,
    );
    expect(pruned.constants.get('a')).toBe(graph.constants.get('a'));
    expect(zeros(pruned, 'b')).toBe(4);
    expect(reasons(notes)).toContain('warning: Every weight of this layer is zero: it passes nothing on.');
  });

  it('makes layers of different size comparable when asked to', () => {
    const graph = matmuls({ a: weights([100, 400, 300, 200], [4, 1]), b: weights([0.1, 0.4, 0.3, 0.2], [1, 4]) });
    const { graph: pruned } = pruneWeights({
      pruner: magnitude(),
      sparsity: 0.5,
      scope: 'global',
      normalize: 'l2-per-layer',
    })(graph).apply(noEvidence);
    expect(numbers(pruned, 'a')).toEqual([0, 400, 300, 0]);
    expect(zeros(pruned, 'b')).toBe(2);
  });

  it('breaks ties in the order of the elements, across layers too', () => {
    const graph = matmuls({ a: weights([1, 1, 1, 1], [4, 1]), b: weights([1, 1, 1, 1], [1, 4]) });
    expect(numbers(pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(graph).apply(noEvidence).graph, 'b')).toEqual([
      0, 0, 1, 1,
    ]);
    const { graph: together } = pruneWeights({ pruner: magnitude(), sparsity: 0.75, scope: 'global' })(graph).apply(
      noEvidence,
    );
    expect([zeros(together, 'a'), numbers(together, 'b')]).toEqual([4, [0, 0, 1, 1]]);
  });

  it('counts the zeros that are there already, negative zeros too', () => {
    const graph = matmuls({ a: weights([0, -0, 3, 2], [4, 1]) });
    expect(pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(graph).apply(noEvidence).graph).toBe(graph);
    expect(pruneWeights({ pruner: randomPruner(), sparsity: 0.25 })(graph).apply(noEvidence).graph).toBe(graph);
    const { graph: pruned, notes } = pruneWeights({ pruner: randomPruner(), sparsity: 0.75 })(graph).apply(noEvidence);
    expect(zeros(pruned, 'a')).toBe(3);
    expect(notes[0]).toMatchObject({
      outcome: 'pruned',
      details: { sparsity: 0.75, elements: 4, zeros: 3, zerosBefore: 2 },
    });
  });

  it('gives the same graph for a sparsity of 0, and an empty layer for 1', () => {
    const graph = matmuls({ a: weights([1, 2, 3, 4], [4, 1]) });
    expect(pruneWeights({ pruner: magnitude(), sparsity: 0 })(graph).apply(noEvidence).graph).toBe(graph);
    expect(zeros(pruneWeights({ pruner: magnitude(), sparsity: 1 })(graph).apply(noEvidence).graph, 'a')).toBe(4);
  });

  it.each(['float16', 'bfloat16', 'float64', 'float32'] as const)('keeps %s as it is', (dtype) => {
    const source = weights([1e-5, -2, 0.1, 3], [4, 1], dtype);
    const pruned = pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(matmuls({ a: source }))
      .apply(noEvidence)
      .graph.constants.get('a')!;
    expect(pruned.dtype).toBe(dtype);
    expect([...(pruned.data as Float32Array)]).toEqual([0, source.data[1], 0, source.data[3]]);
  });

  it('prunes doubles too small for float32 as what they are', () => {
    const graph = matmuls({ a: weights([1e-60, 1, 2, 3], [4, 1], 'float64') });
    expect(numbers(pruneWeights({ pruner: magnitude(), sparsity: 0.25 })(graph).apply(noEvidence).graph, 'a')).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('meets the sparsity to within one element and drops nothing larger than what it keeps', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        values,
        values,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('layer' as const, 'global' as const),
        (a, b, sparsity, scope) => {
          const graph = matmuls({ a: weights(a, [a.length, 1]), b: weights(b, [1, b.length]) });
          const { graph: pruned } = pruneWeights({ pruner: magnitude({ norm: 'l1' }), sparsity, scope })(graph).apply(
            noEvidence,
          );
          const pools = scope === 'global' ? [['a', 'b']] : [['a'], ['b']];
          for (const pool of pools) {
            const before = pool.flatMap((value) => numbers(graph, value));
            const after = pool.flatMap((value) => numbers(pruned, value));
            const had = before.filter((each) => each === 0).length;
            expect(after.filter((each) => each === 0).length).toBe(Math.max(had, Math.round(sparsity * before.length)));
            const dropped = before.filter((each, i) => each !== 0 && after[i] === 0).map(Math.abs);
            const kept = after.filter((each) => each !== 0).map(Math.abs);
            if (dropped.length && kept.length) expect(Math.max(...dropped)).toBeLessThanOrEqual(Math.min(...kept));
            expect(after.every((each, i) => each === 0 || each === before[i])).toBe(true);
          }
        },
      ),
    );
  });

  it('gives the same bytes for the same seed, and others for another', () => {
    const graph = matmuls({
      a: weights(
        Array.from({ length: 64 }, (_, i) => i + 1),
        [64, 1],
      ),
    });
    const run = (seed: number) =>
      numbers(pruneWeights({ pruner: randomPruner({ seed }), sparsity: 0.5 })(graph).apply(noEvidence).graph, 'a');
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
});

describe('pruning N of M', () => {
  const range = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7919) % 101) + 1);

  it('keeps the largest of every group of input channels', () => {
    // [2 outputs, 4 inputs, 1, 2]: a group for each output and place, over the inputs.
    const values = [1, 8, 2, 7, 3, 6, 4, 5, 8, 1, 7, 2, 6, 3, 5, 4];
    const { graph } = pruneWeights({
      pruner: magnitude(),
      granularity: { n: 2, m: 4 },
    })(one('Conv', weights(values, [2, 4, 1, 2]))).apply(noEvidence);
    expect(numbers(graph, 'w')).toEqual([0, 8, 0, 7, 3, 0, 4, 0, 8, 0, 7, 0, 0, 3, 0, 4]);
  });

  it.each([
    ['Gemm', {}, [4, 2], 0],
    ['Gemm', { transB: int(1) }, [2, 4], 1],
    ['MatMul', {}, [4, 2], 0],
    ['MatMul', {}, [3, 4, 2], 1],
    ['Conv', {}, [2, 4, 3, 3], 1],
    ['ConvTranspose', { group: int(2) }, [8, 2, 1, 2], 0],
  ] as const)('lies along the inputs of %s %o with weight %o', (op, attributes, shape, axis) => {
    const size = shape.reduce((product: number, dim) => product * dim, 1);
    const { graph } = pruneWeights({
      pruner: magnitude(),
      granularity: { n: 1, m: 4 },
    })(one(op, weights(range(size), shape), attributes)).apply(noEvidence);
    const after = numbers(graph, 'w');
    const stride = shape.slice(axis + 1).reduce((product: number, dim) => product * dim, 1);
    const counts = new Map<string, number>();
    after.forEach((each, i) => {
      const place = Math.floor(i / stride) % shape[axis]!;
      const group = `${Math.floor(i / (stride * shape[axis]!))}/${Math.floor(place / 4)}/${i % stride}`;
      counts.set(group, (counts.get(group) ?? 0) + (each === 0 ? 0 : 1));
    });
    expect(new Set(counts.values())).toEqual(new Set([1]));
    expect(counts.size).toBe(size / 4);
  });

  it('takes the left matrix of a product along its own inputs', () => {
    const b = buildGraph();
    b.output(
      b.add('MatMul', [b.constant('w', weights([1, 2, 3, 4, 4, 3, 2, 1], [2, 4])), b.input('x', 'float32', [4, 1])], {
        name: 'y',
      }),
    );
    expect(
      numbers(
        pruneWeights({ pruner: magnitude(), granularity: { n: 1, m: 2 } })(b.finish()).apply(noEvidence).graph,
        'w',
      ),
    ).toEqual([0, 2, 0, 4, 4, 0, 2, 0]);
  });

  it('leaves layers that the groups do not divide, and says so', () => {
    const cases: readonly (readonly [Graph, string])[] = [
      [one('Conv', weights(range(27), [3, 3, 3, 1])), 'kept: It sums over 3 inputs, which groups of 4 do not divide.'],
      [
        one('Conv', weights(range(4), [4, 1, 1, 1]), { group: int(4) }),
        'kept: It sums over 1 inputs, which groups of 4 do not divide.',
      ],
      [
        one('ConvTranspose', weights(range(12), [12, 1, 1, 1]), { group: int(2) }),
        'kept: It sums over 6 inputs, which groups of 4 do not divide.',
      ],
    ];
    for (const [graph, reason] of cases) {
      const outcome = pruneWeights({ pruner: magnitude(), granularity: { n: 2, m: 4 } })(graph).apply(noEvidence);
      expect(outcome.graph).toBe(graph);
      expect(reasons(outcome.notes)).toContain(reason);
    }
  });

  it('leaves a shared weight whose readers sum over different axes', () => {
    const b = buildGraph();
    const [x, w] = [b.input('x', 'float32', [4, 4]), b.constant('w', weights(range(16), [4, 4]))];
    const first = b.add('Gemm', [x, w], { name: 'first' });
    b.output(b.add('Gemm', [first, w], { name: 'second', attributes: { transB: int(1) } }));
    const graph = b.finish();
    expect(pruneWeights({ pruner: magnitude(), granularity: { n: 2, m: 4 } })(graph).apply(noEvidence).graph).toBe(
      graph,
    );
    expect(zeros(pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(graph).apply(noEvidence).graph, 'w')).toBe(8);
  });

  it('keeps exactly n of every m, the largest, for any pattern and weights', () => {
    const cases = fc.integer({ min: 2, max: 8 }).chain((m) =>
      fc.record({
        m: fc.constant(m),
        n: fc.integer({ min: 1, max: m - 1 }),
        groups: fc.integer({ min: 1, max: 4 }),
        columns: fc.integer({ min: 1, max: 3 }),
        seed: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(cases, ({ n, m, groups, columns, seed }) => {
        const values = Array.from({ length: m * groups * columns }, (_, i) => Math.sin(seed + i) + 2);
        const { graph } = pruneWeights({
          pruner: magnitude(),
          granularity: { n, m },
        })(matmuls({ w: weights(values, [m * groups, columns]) })).apply(noEvidence);
        const after = numbers(graph, 'w');
        for (let g = 0; g < groups; g++) {
          for (let c = 0; c < columns; c++) {
            const places = Array.from({ length: m }, (_, k) => (g * m + k) * columns + c);
            const kept = places.filter((i) => after[i] !== 0);
            expect(kept).toHaveLength(n);
            const dropped = places.filter((i) => after[i] === 0);
            expect(Math.max(...dropped.map((i) => values[i]!))).toBeLessThanOrEqual(
              Math.min(...kept.map((i) => values[i]!)) + 1e-6,
            );
          }
        }
      }),
    );
  });
});

describe('the choice of layers', () => {
  const graph = matmuls({
    conv1: weights([1, 2, 3, 4], [4, 1]),
    fc1: weights([1, 2, 3, 4], [1, 4]),
    fc2: weights([1, 2, 3, 4], [4, 1]),
  });
  const zerosOf = (options: object) =>
    ['conv1', 'fc1', 'fc2'].map((value) =>
      zeros(pruneWeights({ pruner: magnitude(), sparsity: 0.5, ...options })(graph).apply(noEvidence).graph, value),
    );

  it('follows patterns on weights and nodes', () => {
    expect(zerosOf({ ignore: ['conv*'] })).toEqual([0, 2, 2]);
    expect(zerosOf({ only: ['fc?'] })).toEqual([0, 2, 2]);
    expect(zerosOf({ only: ['*/MatMul'], ignore: ['fc2_out*'] })).toEqual([2, 2, 0]);
    expect(zerosOf({ minimumSize: 5 })).toEqual([0, 0, 0]);
    expect(zerosOf({ ops: ['Conv'] })).toEqual([0, 0, 0]);
  });

  it('lets overrides set other targets, the last one that matches', () => {
    expect(zerosOf({ overrides: { 'fc*': 0.75, fc2: 0.25 } })).toEqual([2, 3, 1]);
    expect(zerosOf({ overrides: { conv1: 0, fc2: { n: 1, m: 4 } } })).toEqual([0, 2, 3]);
  });

  it('takes overridden layers out of the global ranking', () => {
    expect(zerosOf({ scope: 'global', overrides: { conv1: 1 } })).toEqual([4, 2, 2]);
  });

  it('warns about patterns that name nothing', () => {
    const { notes } = pruneWeights({ pruner: magnitude(), sparsity: 0.5, ignore: ['cnov1'], overrides: { nope: 0.1 } })(
      graph,
    ).apply(noEvidence);
    expect(reasons(notes).filter((each) => each.includes('does not name'))).toEqual([
      'warning: The pattern "cnov1" of `ignore` does not name a weight that can be pruned. Did you mean "conv1"?',
      'warning: The pattern "nope" of `overrides` does not name a weight that can be pruned.',
    ]);
  });

  it('never prunes what it does not know, and says why', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [4, 4]);
    const w = (name: string) =>
      b.constant(name, weights([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [4, 4]));
    const table = w('table');
    const embedded = b.add('Gather', [table, b.input('ids', 'int64', [4])], { name: 'embedded' });
    b.output(b.add('MatMul', [embedded, table], { name: 'tied' }));
    b.output(b.add('acme::Dense', [x, w('foreign')], { name: 'dense' }));
    b.output(b.add('MatMul', [x, w('out')], { name: 'seen' }));
    b.output('out');
    const quantized = b.add(
      'DequantizeLinear',
      [b.constant('q', tensor('int8', [4, 4], new Int8Array(16))), b.constant('s', weights([1], []))],
      { name: 'q_dequantized' },
    );
    b.output(b.add('MatMul', [x, quantized], { name: 'after' }));
    b.output(
      b.add('MatMul', [x, b.constant('whole', tensor('int32', [4, 4], new Int32Array(16)))], { name: 'whole_out' }),
    );
    b.output(
      b.add(
        'LSTM',
        [
          x,
          b.constant('lw', weights(new Array(16).fill(1), [1, 4, 4])),
          b.constant('lr', weights([1, 1, 1, 1], [1, 4, 1])),
        ],
        { name: 'lstm' },
      ),
    );
    const network = b.finish();
    const { graph: same, notes } = pruneWeights({ pruner: magnitude(), sparsity: 0.5 })(network).apply(noEvidence);
    expect(same).toBe(network);
    expect(notes.map(({ node, value, reason }) => `${node ?? '-'} ${value ?? '-'}: ${reason}`)).toMatchInlineSnapshot(`
      [
        "- -: No weight that can be pruned was found.",
        "tied/MatMul table: The weight is read as something else too, and pruning it would change that.",
        "dense/Dense -: The layout of its weights is not known.",
        "seen/MatMul out: The weight is read as something else too, and pruning it would change that.",
        "after/MatMul -: Its weight is quantized already: prune before quantizing.",
        "whole_out/MatMul whole: Its int32[4,4] constant is no weight that can be pruned.",
        "lstm/LSTM -: LSTM is not among the ops to prune.",
      ]
    `);
    const recurrent = pruneWeights({ pruner: magnitude(), sparsity: 0.5, ops: ['LSTM'] })(network).apply(noEvidence);
    expect([zeros(recurrent.graph, 'lw'), zeros(recurrent.graph, 'lr')]).toEqual([8, 2]);
  });

  it('reports what each layer became, and what zeros do not do', () => {
    const { notes } = pruneWeights({
      pruner: magnitude(),
      sparsity: 0.5,
      overrides: { fc2: { n: 2, m: 4 } },
      ignore: ['fc1'],
    })(graph).apply(noEvidence);
    expect(notes.map(({ node, reason }) => `${node ?? '-'}: ${reason}`)).toMatchInlineSnapshot(`
      [
        "conv1_out/MatMul: 2 of 4 weights (50.0 %) are zero.",
        "fc2_out/MatMul: 2 of 4 weights (50.0 %) are zero, 2:4.",
        "fc1_out/MatMul: A pattern of \`ignore\` names it.",
        "-: Unstructured zeros do not shrink a dense file and do not make a dense runtime faster: write sparse tensors, or compress the file, to save bytes.",
        "-: N:M zeros do not shrink a dense file: only hardware with sparse matrix units runs them faster, and compressing the file saves bytes.",
      ]
    `);
  });

  it('tells calibration what the pruner needs, for the chosen layers only', () => {
    const pruner: Pruner = {
      needs: (_, targets) => targets.map(({ value }) => ({ statistic: 'range', value })),
      score: ({ weight }) => new Float32Array(weight.data.length),
    };
    expect(pruneWeights({ pruner, sparsity: 0.5, only: ['fc*'] })(graph).needs).toEqual([
      { statistic: 'range', value: 'fc1' },
      { statistic: 'range', value: 'fc2' },
    ]);
  });
});

describe('mistakes', () => {
  const graph = matmuls({ w: weights([1, 2, 3, 4], [4, 1]) });
  const scoring = (score: (count: number) => Float32Array): Pruner => ({
    needs: () => [],
    score: ({ weight }) => score(weight.data.length),
  });

  it('are explained', () => {
    const pruner = magnitude();
    const acts = [
      () => pruneWeights({ pruner })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 1.5 })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: Number.NaN })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 0.9, granularity: { n: 2, m: 4 } })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, granularity: { n: 4, m: 4 } })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, granularity: 'channel' as 'weight', sparsity: 0.5 })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, granularity: { n: 2, m: 4 }, scope: 'global' })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 0.5, normalize: 'l2-per-layer' })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 0.5, ops: ['Cov'] })(graph).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 0.5, overrides: { w: 2 } })(graph).apply(noEvidence),
      () => pruneWeights({ pruner: scoring(() => new Float32Array(3)), sparsity: 0.5 })(graph).apply(noEvidence),
      () =>
        pruneWeights({ pruner: scoring(() => Float32Array.of(1, -1, 1, 1)), sparsity: 0.5 })(graph).apply(noEvidence),
      () =>
        pruneWeights({ pruner: scoring(() => Float32Array.of(1, 1, Number.POSITIVE_INFINITY, 1)), sparsity: 0.5 })(
          graph,
        ).apply(noEvidence),
      () => pruneWeights({ pruner, sparsity: 0.5 })(matmuls({ w: weights([1, Number.NaN], [2, 1]) })).apply(noEvidence),
    ];
    const messages = acts.map((act) => {
      try {
        act();
        return 'no error';
      } catch (error) {
        return `${(error as { code: string }).code} | ${(error as Error).message}`;
      }
    });
    expect(messages.join('\n')).toMatchInlineSnapshot(`
      "PRUNE_SPARSITY | prune.sparsity: expected a share of the weights from 0 to 1, found undefined. Half of the weights is 0.5.
      PRUNE_SPARSITY | prune.sparsity: expected a share of the weights from 0 to 1, found 1.5. Half of the weights is 0.5.
      PRUNE_SPARSITY | prune.sparsity: expected a share of the weights from 0 to 1, found NaN. Half of the weights is 0.5.
      PRUNE_SPARSITY | prune.sparsity: expected nothing, or 0.5, beside the pattern 2:4, found 0.9. An N:M pattern fixes the sparsity: leave \`sparsity\` out, or choose another pattern.
      PRUNE_GRANULARITY | prune.granularity: expected "weight", or an N:M pattern with 1 <= N < M <= 256 such as "2:4", found {"n":4,"m":4}. N weights of every M neighbours along the reduction axis are kept.
      PRUNE_GRANULARITY | prune.granularity: expected "weight", or an N:M pattern with 1 <= N < M <= 256 such as "2:4", found "channel". Whole channels are removed by channelPruning, or in a recipe by a prune step with granularity: channel.
      OPTION_CONFLICT | prune.scope: expected granularity: weight for this option, found granularity: 2:4. Remove it, or change granularity.
      OPTION_CONFLICT | prune.normalize: expected scope: global for this option, found scope: layer. Remove it, or change scope.
      PRUNE_OP | prune.ops: expected ops among Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU, RNN, found "Cov". Did you mean "Conv"? Weights of other ops are never pruned.
      PRUNE_SPARSITY | prune.overrides["w"]: expected a share of the weights from 0 to 1, found 2. Half of the weights is 0.5.
      PRUNE_SCORES | scores of "w": expected 4 scores, found 3. This is a fault of the pruner plugin: tell its author.
      PRUNE_SCORES | scores of "w": expected finite scores of at least 0, found -1 at 1. This is a fault of the pruner plugin: tell its author.
      PRUNE_SCORES | scores of "w": expected finite scores of at least 0, found Infinity at 2. This is a fault of the pruner plugin: tell its author.
      PRUNE_WEIGHT | weight "w", element 1: expected a number, found NaN. The model is damaged: repair it, or leave this weight with \`ignore\`."
    `);
  });

  it('of third-party pruners do not change what they scored', () => {
    const spoiling = definePlugin({
      kind: 'pruner',
      id: 'spoiling',
      about: 'Gives the same array for every layer.',
      options: {},
      create: () => {
        const shared = Float32Array.of(4, 3, 2, 1);
        return { needs: () => [], score: () => shared };
      },
    });
    const twice = matmuls({ a: weights([1, 2, 3, 4], [4, 1]), b: weights([1, 2, 3, 4], [1, 4]) });
    const { graph: pruned } = pruneWeights({ pruner: instantiate(spoiling, {}), sparsity: 0.5 })(twice).apply(
      noEvidence,
    );
    expect([numbers(pruned, 'a'), numbers(pruned, 'b')]).toEqual([
      [1, 2, 0, 0],
      [1, 2, 0, 0],
    ]);
  });
});

describe('size', () => {
  it('takes linear time over ten million weights', () => {
    const values = new Float32Array(10_000_000);
    for (let i = 0; i < values.length; i++) values[i] = Math.fround(((i * 2654435761) >>> 0) / 2 ** 31 - 1);
    const graph = matmuls({ w: tensor('float32', [values.length / 10, 10], values) });
    const started = performance.now();
    const { notes } = pruneWeights({ pruner: magnitude(), sparsity: 0.7 })(graph).apply(noEvidence);
    expect(notes[0]?.details).toMatchObject({ zeros: 7_000_000 });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
