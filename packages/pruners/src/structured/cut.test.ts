import { buildGraph, createRandom, floats, type Graph, type GraphBuilder, int, ints, toNumbers } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { coupled } from './coupled.js';
import { cut } from './cut.js';
import { maskGroups } from './mask-groups.js';
import type { Removals } from './removal.js';

/** A builder with constants of seeded values, and conv-bn layers. */
function netBuilder() {
  const b = buildGraph();
  const random = createRandom(7);
  const weight = (name: string, shape: readonly number[], center = 0) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return b.constant(
      name,
      floats(
        Float32Array.from({ length: count }, () => center + random.next() - 0.5),
        shape,
      ),
    );
  };
  const conv = (x: string, name: string, [from, to]: readonly [number, number]) => {
    const y = b.add('Conv', [x, weight(`${name}.w`, [to, from, 3, 3])], {
      name,
      attributes: { pads: ints([1, 1, 1, 1]) },
    });
    const norm = ['scale', 'shift', 'mean'].map((each) => weight(`${name}.${each}`, [to]));
    return b.add('BatchNormalization', [y, ...norm, weight(`${name}.variance`, [to], 1)]);
  };
  return { b, weight, conv };
}

const finish = (b: GraphBuilder): Graph => inferShapes(b.finish());

/** Every second unit of every group that can be pruned. */
const half = (graph: Graph): Removals =>
  new Map(
    coupled(graph)
      .groups.filter(({ prunable, changesStatistics }) => prunable && !changesStatistics)
      .map(({ id, units }) => [id, Array.from({ length: Math.floor(units / 2) }, (_, i) => 2 * i)]),
  );

function residualNet(): Graph {
  const { b, weight, conv } = netBuilder();
  const stem = b.add('Relu', [conv(b.input('x', 'float32', ['batch', 3, 6, 6]), 'stem', [3, 8])]);
  const inner = b.add('Relu', [conv(stem, 'inner', [8, 6])]);
  const sum = b.add('Relu', [b.add('Add', [conv(inner, 'outer', [6, 8]), stem])]);
  const flat = b.add('Flatten', [b.add('GlobalAveragePool', [sum])]);
  const fc = [weight('fc.w', [5, 8]), weight('fc.b', [5])];
  b.output(b.add('Gemm', [flat, ...fc], { attributes: { transB: int(1) } }), 'y');
  return finish(b);
}

describe('cut', () => {
  it('removes rows, biases and the columns that read them', () => {
    const b = buildGraph();
    const first = [b.input('x', 'float32', [1, 2]), b.constant('w', floats([1, 2, 3, 4, 5, 6], [2, 3]))];
    const hidden = b.add('Relu', [b.add('Gemm', [...first, b.constant('c', floats([7, 8, 9]))])]);
    b.output(b.add('MatMul', [hidden, b.constant('v', floats([1, 2, 3], [3, 1]))]), 'y');
    const { constants } = cut(coupled(finish(b)), new Map([['w/1', [1]]]));
    expect(toNumbers(constants.get('w')!)).toEqual([1, 3, 4, 6]);
    expect(toNumbers(constants.get('c')!)).toEqual([7, 9]);
    expect(toNumbers(constants.get('v')!)).toEqual([1, 3]);
  });

  it('joins what a residual connection joins, and leaves inner channels apart', () => {
    const prunable = coupled(residualNet()).groups.filter((group) => group.prunable);
    expect(prunable.map(({ id, units }) => [id, units])).toEqual([
      ['stem.w/0', 8],
      ['inner.w/0', 6],
    ]);
    expect(prunable[0]!.slices.map(({ value, axis }) => `${value}/${axis}`)).toEqual(
      expect.arrayContaining(['stem.w/0', 'stem.variance/0', 'inner.w/1', 'outer.w/0', 'outer.shift/0', 'fc.w/1']),
    );
  });

  it('computes what the masked network computes', async () => {
    const graph = residualNet();
    const removals = half(graph);
    const small = cut(coupled(graph), removals);
    expect(small.constants.get('outer.w')!.shape).toEqual([4, 3, 3, 3]);
    const feeds = randomFeeds(graph);
    const masked = await runOnnx(maskGroups(coupled(graph), removals), feeds);
    expect(largestDifference(masked, await runOnnx(small, feeds))).toBeLessThan(1e-5);
    expect(largestDifference(await runOnnx(graph, feeds), masked)).toBeGreaterThan(1e-3);
  });

  it('returns the same graph when nothing is removed, and refuses what it cannot do', () => {
    const graph = residualNet();
    expect(cut(coupled(graph), new Map([['stem.w/0', []]]))).toBe(graph);
    expect(() => cut(coupled(graph), new Map([['stem.w', [0]]]))).toThrow('stem.w/0');
    expect(() => cut(coupled(graph), new Map([['stem.w/0', [8]]]))).toThrow('units from 0 to 7');
    expect(() => cut(coupled(graph), new Map([['inner.w/0', [0, 1, 2, 3, 4, 5]]]))).toThrow('at least one index');
    expect(() => cut(coupled(graph), new Map([['fc.w/0', [0]]]))).toThrow('output of the graph');
  });

  it('moves what an activation makes of zero into the next bias', async () => {
    const { b, weight } = netBuilder();
    const image = b.add('Sigmoid', [b.add('Conv', [b.input('x', 'float32', [1, 3, 4, 4]), weight('a', [6, 3, 1, 1])])]);
    const next = b.add('Exp', [b.add('Conv', [image, weight('c', [5, 6, 2, 2]), weight('c.b', [5])])]);
    const flat = b.add('Flatten', [b.add('GlobalAveragePool', [next])]);
    const dense = b.add('HardSigmoid', [b.add('MatMul', [flat, weight('d', [5, 4])])]);
    b.output(
      b.add('Gemm', [b.add('Concat', [dense, dense], { attributes: { axis: int(1) } }), weight('e', [8, 2])]),
      'y',
    );
    const graph = finish(b);
    const removals = half(graph);
    const feeds = randomFeeds(graph);
    const small = cut(coupled(graph), removals);
    expect(small.constants.has('c.b')).toBe(false);
    const masked = await runOnnx(maskGroups(coupled(graph), removals), feeds);
    expect(largestDifference(masked, await runOnnx(small, feeds))).toBeLessThan(1e-5);
  });

  it('keeps what biases and shifts of units pruned before still feed on', async () => {
    const { b, weight } = netBuilder();
    const data = Float32Array.from({ length: 6 * 8 * 9 }, (_, i) => (i < 2 * 8 * 9 ? 0 : Math.sin(i)));
    const x = b.input('x', 'float32', [1, 8, 5, 5]);
    const norm = ['scale', 'shift', 'mean'].map((each) => weight(each, [6]));
    const layer = b.add('Conv', [x, b.constant('w', floats(data, [6, 8, 3, 3])), weight('bias', [6])]);
    const normed = b.add('BatchNormalization', [layer, ...norm, weight('variance', [6], 1)]);
    b.output(b.add('Conv', [b.add('Softplus', [normed]), weight('v', [3, 6, 1, 1])]), 'y');
    const graph = finish(b);
    const feeds = randomFeeds(graph);
    const small = cut(coupled(graph), new Map([['w/0', [0, 1]]]));
    expect(small.constants.get('w')!.shape).toEqual([4, 8, 3, 3]);
    expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(small, feeds))).toBeLessThan(1e-5);
  });
});
