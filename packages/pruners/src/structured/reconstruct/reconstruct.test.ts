import {
  buildGraph,
  createRandom,
  type Executor,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  ints,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../../test/run-onnx.js';
import { coupled } from '../coupled.js';
import { cut } from '../cut.js';
import type { Removals } from '../removal.js';
import { fitLayer } from './fit-layer.js';
import { type ReconstructOptions, reconstruct } from './reconstruct.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const random = createRandom(3);
const normals = (...shape: number[]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return floats(
    Array.from({ length: count }, () => random.normal() / Math.sqrt(count / shape[0]!)),
    shape,
  );
};

const feedsOf = (graph: Graph, seed: number) => randomFeeds(graph, { seed, sizes: { n: 24 } });
const runOf = (graph: Graph) => ({
  executor,
  batches: async function* () {
    for (let seed = 1; seed <= 4; seed++) yield feedsOf(graph, seed);
  },
});

async function rebuilt(graph: Graph, removals: Removals, options?: ReconstructOptions) {
  const small = cut(coupled(graph), removals);
  const outcome = await reconstruct({ net: coupled(graph), graph: small, removals }, runOf(graph), options);
  const feeds = feedsOf(graph, 99); // not those it was fitted on
  const wanted = await runOnnx(graph, feeds);
  return {
    ...outcome,
    small,
    plain: largestDifference(wanted, await runOnnx(small, feeds)),
    difference: largestDifference(wanted, await runOnnx(outcome.graph, feeds)),
  };
}

/** A weight [out, ...] whose last row is the sum of the first two: once it is gone, the others can stand in for it. */
function dependent(...shape: number[]) {
  const { data } = normals(...shape);
  const row = data.length / shape[0]!;
  for (let i = 0; i < row; i++) data[data.length - row + i] = data[i]! + data[row + i]!;
  return floats(data, shape);
}

const columns = (source: ReturnType<typeof floats>) => {
  const [rows, size] = source.shape as readonly [number, number];
  return floats(
    Array.from({ length: rows * size }, (_, i) => source.data[(i % rows) * size + Math.floor(i / rows)]!),
    [size, rows],
  );
};

const net = (build: (b: GraphBuilder) => string): Graph => {
  const b = buildGraph();
  b.output(build(b), 'y');
  return inferShapes(b.finish());
};

/** Removes the last unit of the first group that can be pruned. */
const lastUnit = (graph: Graph): Removals => {
  const { id, units } = coupled(graph).groups.find(({ prunable }) => prunable)!;
  return new Map([[id, [units - 1]]]);
};

const nets: Readonly<Record<string, (b: GraphBuilder) => string>> = {
  'a padded convolution, strided, with a bias': (b) => {
    const x = b.input('x', 'float32', ['n', 3, 6, 6]);
    const hidden = b.add('Conv', [x, b.constant('w', dependent(5, 3, 1, 1))]);
    const attributes = { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) };
    return b.add('Conv', [hidden, b.constant('v', normals(4, 5, 3, 3)), b.constant('c', normals(4))], { attributes });
  },
  'a grouped convolution, the same channel of both groups': (b) => {
    const x = b.input('x', 'float32', ['n', 3, 4, 4]);
    const w = normals(10, 3, 1, 1);
    for (const half of [0, 15])
      for (let i = 0; i < 3; i++) w.data[half + 12 + i] = w.data[half + i]! - w.data[half + 3 + i]!;
    const hidden = b.add('Conv', [x, b.constant('w', w)]);
    return b.add('Conv', [hidden, b.constant('v', normals(4, 5, 1, 1))], { attributes: { group: int(2) } });
  },
  'a Gemm with a transposed weight': (b) => {
    const x = b.input('x', 'float32', ['n', 4]);
    const hidden = b.add('Gemm', [x, b.constant('w', dependent(6, 4))], { attributes: { transB: int(1) } });
    return b.add('Gemm', [hidden, b.constant('v', normals(3, 6)), b.constant('c', normals(3))], {
      attributes: { transB: int(1) },
    });
  },
  'a Gemm as it stands': (b) => {
    const x = b.input('x', 'float32', ['n', 4]);
    const hidden = b.add('Gemm', [x, b.constant('w', columns(dependent(6, 4)))]);
    return b.add('Gemm', [hidden, b.constant('v', normals(6, 3))]);
  },
  'a MatMul over tokens, with an addition behind it': (b) => {
    const x = b.input('x', 'float32', ['n', 3, 4]);
    const hidden = b.add('MatMul', [x, b.constant('w', columns(dependent(6, 4)))]);
    return b.add('Add', [b.constant('c', normals(3)), b.add('MatMul', [hidden, b.constant('v', normals(6, 3))])]);
  },
  'a MatMul by itself': (b) => {
    const x = b.input('x', 'float32', ['n', 3, 4]);
    return b.add('MatMul', [
      b.add('MatMul', [x, b.constant('w', columns(dependent(6, 4)))]),
      b.constant('v', normals(6, 3)),
    ]);
  },
};

describe('fitLayer', () => {
  const sums = {
    sum: Float64Array.of(14),
    inputs: Float64Array.of(6),
    cross: Float64Array.of(28),
    outputs: Float64Array.of(12),
    squares: Float64Array.of(56),
    size: 1,
    rows: 3,
  };

  it('finds y = 2x from 1, 2, 3 and 2, 4, 6; damping draws towards the weight there is', () => {
    const fit = fitLayer({ sums, outputs: [0], weight: Float64Array.of(0), damping: 0 });
    expect(fit.weight[0]).toBeCloseTo(2, 12);
    expect(fit.bias[0]).toBeCloseTo(0, 12);
    expect(fit.unexplained).toBeCloseTo(0, 12);
    const half = fitLayer({ sums, outputs: [0], weight: Float64Array.of(1), damping: 1 });
    expect(half.weight[0]).toBeCloseTo(1.5, 12); // (4 + 2) / (2 + 2)
    expect(half.bias[0]).toBeCloseTo(1, 12);
    expect(half.unexplained).toBeCloseTo(0.0625, 12);
  });

  it('leaves the weights of inputs that never change', () => {
    const still = { ...sums, sum: Float64Array.of(12), cross: Float64Array.of(24) };
    const fit = fitLayer({ sums: still, outputs: [0], weight: Float64Array.of(7), damping: 0.01 });
    expect(fit.weight[0]).toBe(7);
    expect(fit.bias[0]).toBeCloseTo(4 - 14, 12);
  });
});

describe('reconstruct', () => {
  it.each(Object.entries(nets))('makes up for a unit that others can stand in for: %s', async (_, build) => {
    const graph = net(build);
    const { plain, difference, notes } = await rebuilt(graph, lastUnit(graph), { damping: 1e-7 });
    expect(plain).toBeGreaterThan(0.02);
    expect(difference).toBeLessThan(1e-3);
    expect(notes.map(({ outcome }) => outcome)).toEqual(['pruned']);
    expect(notes[0]!.reason).toMatch(/they explain 100\.0 %/);
  });

  it('fits what follows to what the layers before make after their own fit, and never ends further away', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(1000), async (gone, seed) => {
        const local = createRandom(seed);
        const draw = (...shape: number[]) =>
          floats(
            Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => local.normal() / 3),
            shape,
          );
        const graph = net((b) => {
          const x = b.input('x', 'float32', ['n', 3, 4, 4]);
          const pads = { attributes: { pads: ints([1, 1, 1, 1]) } };
          const first = b.add('Relu', [b.add('Conv', [x, b.constant('w', draw(8, 3, 3, 3))], pads)]);
          const second = b.add('Relu', [b.add('Conv', [first, b.constant('v', draw(8, 8, 3, 3))], pads)]);
          return b.add('Conv', [second, b.constant('u', draw(2, 8, 1, 1))]);
        });
        const removals = new Map(
          coupled(graph)
            .groups.filter(({ prunable }) => prunable)
            .map(({ id }) => [id, Array.from({ length: gone }, (_, i) => i)]),
        );
        const { graph: result, small, notes } = await rebuilt(graph, removals);
        expect(notes).toHaveLength(2);
        const [far, close] = await Promise.all([errorOn(graph, small), errorOn(graph, result)]);
        expect(close).toBeLessThanOrEqual(far * 1.01);
      }),
      { numRuns: 8, seed: 1 },
    );
  });

  it('leaves what it cannot fit, and says why', async () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 4]);
      const v = b.constant('v', normals(6, 6));
      const hidden = b.add('Gemm', [x, b.constant('w', normals(4, 6))]);
      const again = b.add('Gemm', [b.add('Relu', [b.add('Gemm', [hidden, v])]), v]);
      return b.add('Gemm', [again, b.constant('u', normals(6, 2))]);
    });
    const shared = await rebuilt(graph, lastUnit(graph));
    expect(shared.notes.map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual([
      'kept: Its weights were not fitted to what is left: its weight is shared.',
      'kept: Its weights were not fitted to what is left: its weight is shared.',
      expect.stringContaining('pruned: Its weights were fitted to the 5 inputs left'),
    ]);
    const limited = await rebuilt(net(nets['a Gemm as it stands']!), new Map([['w/1', [0]]]), { maximumInputs: 4 });
    expect(limited.notes.map(({ reason }) => reason)).toEqual([
      'Its weights were not fitted to what is left: it sums over 5 inputs, more than 4.',
    ]);
    expect(limited.graph).toBe(limited.small);
    await expect(rebuilt(graph, lastUnit(graph), { damping: -1 })).rejects.toThrow('a number of at least 0');
  });

  it('takes inputs that are always zero', async () => {
    const graph = net((b) => {
      const x = b.input('x', 'float32', ['n', 4]);
      const hidden = b.add('Relu', [
        b.add('Gemm', [x, b.constant('w', normals(4, 5)), b.constant('c', floats([0, -99, -99, 0, 0]))]),
      ]);
      return b.add('Gemm', [hidden, b.constant('v', normals(5, 2))]);
    });
    const { graph: result } = await rebuilt(graph, new Map([['w/1', [4]]]));
    expect([...(result.constants.get('v')!.data as Float32Array)].every(Number.isFinite)).toBe(true);
  });
});

async function errorOn(graph: Graph, other: Graph): Promise<number> {
  const feeds = feedsOf(graph, 1);
  const [wanted, found] = [await runOnnx(graph, feeds), await runOnnx(other, feeds)];
  const [a, b] = [wanted.get('y')!.data as Float32Array, found.get('y')!.data as Float32Array];
  return a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
}
