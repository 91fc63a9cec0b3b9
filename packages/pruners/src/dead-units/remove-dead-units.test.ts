import {
  buildGraph,
  createRandom,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  ints,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { randomNet } from '../../test/random-net.js';
import { coupled } from '../structured/coupled.js';
import { removeDeadUnits } from './remove-dead-units.js';

const net = (build: (b: GraphBuilder) => string): Graph => {
  const b = buildGraph();
  b.output(build(b), 'y');
  return inferShapes(b.finish());
};

async function differenceOf(graph: Graph, seed = 1): Promise<number> {
  const feeds = randomFeeds(graph, { seed });
  return largestDifference(await runOnnx(graph, feeds), await runOnnx(removeDeadUnits(graph), feeds));
}

const shapeOf = (graph: Graph, value: string) => removeDeadUnits(graph).constants.get(value)?.shape;

describe('removeDeadUnits', () => {
  it('removes what is read by zeros only, and then what only that read', async () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 2]);
      const first = b.add('Relu', [b.add('MatMul', [x, b.constant('a', floats([1, 2, 3, 4, 5, 6], [2, 3]))])]);
      // The second neuron of the second layer is read by a zero; it alone reads the third of the first.
      const second = b.add('Sigmoid', [b.add('MatMul', [first, b.constant('c', floats([1, 2, 3, 4, 0, 6], [3, 2]))])]);
      return b.add('MatMul', [second, b.constant('e', floats([7, 0], [2, 1]))]);
    });
    expect([shapeOf(graph, 'a'), shapeOf(graph, 'c'), shapeOf(graph, 'e')]).toEqual([
      [2, 2],
      [2, 1],
      [1, 1],
    ]);
    expect(await differenceOf(graph)).toBeLessThan(1e-6);
  });

  it('removes what is made by zeros only: constants go into the next bias', async () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 2]);
      const c = b.constant('c', floats([0.5, -1, 2]));
      const hidden = b.add('Sigmoid', [b.add('Gemm', [x, b.constant('w', floats([1, 0, 3, 4, 0, 6], [2, 3])), c])]);
      return b.add('Gemm', [hidden, b.constant('v', floats([1, 2, 3], [3, 1]))]);
    });
    expect(shapeOf(graph, 'w')).toEqual([2, 2]);
    expect(await differenceOf(graph)).toBeLessThan(1e-6);
  });

  it('leaves constants that a padded convolution reads, and takes zeros there', async () => {
    const image = (shift: number) =>
      net((b) => {
        const x = b.input('x', 'float32', ['n', 2, 4, 4]);
        const made = b.add('Conv', [
          x,
          b.constant('w', floats([0, 0, 2, 3, 4, 5], [3, 2, 1, 1])),
          b.constant('c', floats([shift, 1, 1])),
        ]);
        const kernel = b.constant(
          'v',
          floats(
            Float32Array.from({ length: 27 }, (_, i) => Math.sin(i + 1)),
            [1, 3, 3, 3],
          ),
        );
        return b.add('Conv', [b.add('Relu', [made]), kernel], { attributes: { pads: ints([1, 1, 1, 1]) } });
      });
    expect(shapeOf(image(-1), 'w')).toEqual([2, 2, 1, 1]);
    expect(await differenceOf(image(-1))).toBeLessThan(1e-6);
    const kept = image(1);
    expect(removeDeadUnits(kept)).toBe(kept);
  });

  it('keeps a unit that something else than weights reads', () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 2]);
      const hidden = b.add('MatMul', [x, b.constant('w', floats([1, 2, 3, 4, 5, 6], [2, 3]))]);
      const read = b.add('MatMul', [hidden, b.constant('v', floats([0, 2, 3], [3, 1]))]);
      return b.add('Add', [read, b.add('ReduceMean', [hidden], { attributes: { axes: ints([1]), keepdims: int(1) } })]);
    });
    expect(removeDeadUnits(graph)).toBe(graph);
  });

  it('keeps one unit where all are dead', async () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 2]);
      const hidden = b.add('Relu', [b.add('MatMul', [x, b.constant('w', floats([0, 0, 0, 0, 0, 0], [2, 3]))])]);
      return b.add('Gemm', [hidden, b.constant('v', floats([1, 2, 3], [3, 1])), b.constant('c', floats([4]))]);
    });
    expect(shapeOf(graph, 'w')).toEqual([2, 1]);
    expect(await differenceOf(graph)).toBe(0);
  });

  it('changes nothing that any pruned network computes, and is done after one run', { timeout: 120_000 }, async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const graph = withDeadUnits(randomNet(seed), seed);
        const small = removeDeadUnits(graph);
        expect(removeDeadUnits(small)).toBe(small);
        const weights = (each: Graph) => [...each.constants.values()].reduce((sum, { data }) => sum + data.length, 0);
        if (small !== graph) removed += weights(graph) - weights(small);
        const feeds = randomFeeds(graph, { seed });
        expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(small, feeds))).toBeLessThan(2e-6);
      }),
      { numRuns: 30, seed: 7 },
    );
    expect(removed).toBeGreaterThan(500);
  });
});

/** Zeros what makes some units of each group, and what reads others. */
function withDeadUnits(graph: Graph, seed: number): Graph {
  const random = createRandom(seed);
  const constants = new Map<string, Tensor>(graph.constants);
  for (const { slices, units, prunable } of coupled(graph).groups) {
    if (!prunable) continue;
    for (let unit = 0; unit < units; unit++) {
      const role = (['produces', 'sums', undefined, undefined] as const)[random.below(4)];
      for (const { value, axis, indices, each, role: own } of slices) {
        const { dtype, data, shape } = constants.get(value)!;
        if (dtype !== 'float32') continue;
        const matrix = shape.filter((size) => size > 1).length > 1;
        if (own !== role || !matrix) continue;
        const zeroed = data.slice();
        const block = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        for (let i = 0; i < zeroed.length; i++) {
          const index = Math.floor(i / block) % shape[axis]!;
          if (indices.subarray(unit * each, (unit + 1) * each).includes(index)) zeroed[i] = 0;
        }
        constants.set(value, floats(zeroed, shape));
      }
    }
  }
  return { ...graph, constants };
}
