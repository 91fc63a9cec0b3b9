import { buildGraph, createRandom, type Executor, floats, type Graph, int, ints, type Tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { calibrate } from './calibrate.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const random = createRandom(9);
const normals = (...shape: number[]): Tensor<'float32'> =>
  floats(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const near = (found: ArrayLike<number>, wanted: ArrayLike<number>) => {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThan(1e-3);
};

/** A run over samples of x, in batches of one and of the rest. */
const run = (x: Tensor<'float32'>) => ({
  executor,
  batches: async function* () {
    const row = x.data.length / x.shape[0]!;
    yield new Map([['x', floats(x.data.subarray(0, row), [1, ...x.shape.slice(1)])]]);
    yield new Map([['x', floats(x.data.subarray(row), [x.shape[0]! - 1, ...x.shape.slice(1)])]]);
  },
});

describe('the statistic `regression`', () => {
  it('adds up YᵀX, both sums of columns, and squares', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n', 2]);
    const y = b.add('Gemm', [x, b.constant('w', floats([1, 2, 3, 4, 5, 6], [2, 3]))], { name: 'y' });
    const target = b.add('Gemm', [x, b.constant('v', floats([1, 0, 0, 0, 1, 0], [2, 3]))], { name: 't' });
    b.output(b.add('Add', [y, target]));
    const graph = b.finish();
    const need = { statistic: 'regression', node: graph.nodes[0]!.id, target } as const;
    const found = (await calibrate(graph, [need], run(floats([1, 2, 3, 4, 5, 6], [3, 2])))).find(need)!;
    expect([found.rows, found.size]).toEqual([3, 2]);
    expect([...found.sum]).toEqual([35, 44, 44, 56]);
    expect([...found.cross]).toEqual([35, 44, 44, 56, 0, 0]); // the target holds x itself, then zeros
    expect([...found.inputs]).toEqual([9, 12]);
    expect([...found.outputs]).toEqual([9, 12, 0]);
    expect([...found.squares]).toEqual([35, 56, 0]);
  });

  it('holds YᵀX = W XᵀX for a layer beside itself: strided, padded and grouped convolutions, stacks of matrices', async () => {
    const conv = (groups: number): Graph => {
      const b = buildGraph();
      const x = b.input('x', 'float32', ['n', 4, 5, 5]);
      const w = b.constant('w', normals(6, 4 / groups, 3, 3));
      const attributes = { pads: ints([1, 0, 1, 1]), strides: ints([2, 1]), group: int(groups) };
      b.output(b.add('Conv', [x, w], { name: 'y', attributes }));
      return b.finish();
    };
    for (const groups of [1, 2]) {
      const graph = conv(groups);
      const weight = graph.constants.get('w')!;
      for (let group = 0; group < groups; group++) {
        const need = {
          statistic: 'regression',
          node: graph.nodes[0]!.id,
          target: 'y',
          ...(groups > 1 ? { group } : {}),
        } as const;
        const { size, sum, cross } = (await calibrate(graph, [need], run(normals(3, 4, 5, 5)))).find(need)!;
        expect(size).toBe(36 / groups);
        near(cross, timesGram(weight.data as Float32Array, group * (6 / groups), { rows: 6 / groups, size, sum }));
      }
    }
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n', 3, 4]);
    const w = normals(5, 3);
    b.output(b.add('MatMul', [b.constant('w', w), x], { name: 'y' }));
    const graph = b.finish();
    const need = { statistic: 'regression', node: graph.nodes[0]!.id, target: 'y' } as const;
    const { size, sum, cross, rows } = (await calibrate(graph, [need], run(normals(2, 3, 4)))).find(need)!;
    expect([rows, size]).toEqual([8, 3]);
    near(cross, timesGram(w.data, 0, { rows: 5, size, sum }));
  });
});

function timesGram(
  weight: Float32Array,
  first: number,
  { rows, size, sum }: { readonly rows: number; readonly size: number; readonly sum: Float64Array },
): Float64Array {
  const out = new Float64Array(rows * size);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) out[r * size + i]! += weight[(first + r) * size + j]! * sum[j * size + i]!;
    }
  }
  return out;
}

describe('the statistic `change`', () => {
  it('is the mean cosine of vectors along an axis, and the squared change relative to what was there', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n', 2]);
    const turned = b.add('Gemm', [x, b.constant('w', floats([0, 1, -1, 0], [2, 2]))], { name: 'turned' });
    const twice = b.add('Mul', [x, b.constant('two', floats([2], []))], { name: 'twice' });
    b.output(b.add('Add', [turned, twice]));
    const graph = b.finish();
    const needOf = (after: string) => ({ statistic: 'change', before: 'x', after, axis: 1 }) as const;
    const evidence = await calibrate(graph, [needOf('turned'), needOf('twice')], run(normals(4, 2)));
    expect(evidence.find(needOf('turned'))!.cosine).toBeCloseTo(0, 5);
    expect(evidence.find(needOf('turned'))!.relative).toBeCloseTo(2, 4);
    expect(evidence.find(needOf('twice'))!.cosine).toBeCloseTo(1, 5);
    expect(evidence.find(needOf('twice'))!.relative).toBeCloseTo(1, 5);
  });

  it('counts zeros that stay zeros as unchanged', async () => {
    const b = buildGraph();
    b.output(b.add('Abs', [b.input('x', 'float32', ['n', 2])], { name: 'y' }));
    const need = { statistic: 'change', before: 'x', after: 'y', axis: -1 } as const;
    const evidence = await calibrate(b.finish(), [need], run(floats([0, 0, 0, 0], [2, 2])));
    expect(evidence.find(need)).toEqual({ cosine: 1, relative: 0 });
  });
});
