import {
  type Attribute,
  buildGraph,
  createRandom,
  type Executor,
  floats,
  type Gram,
  type Graph,
  int,
  ints,
  type Tensor,
  text,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { calibrate } from './calibrate.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const random = createRandom(5);
const normals = (...shape: number[]): Tensor<'float32'> =>
  floats(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

const gramOfRows = (rows: readonly (readonly number[])[], size: number): Gram => {
  const sum = new Float64Array(size * size);
  for (const row of rows) {
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum[i * size + j]! += row[i]! * row[j]!;
  }
  return { sum, size, rows: rows.length };
};

const expectGram = (found: Gram | undefined, wanted: Gram): void => {
  expect([found?.size, found?.rows]).toEqual([wanted.size, wanted.rows]);
  const scale = Math.max(1, ...wanted.sum.map(Math.abs));
  found!.sum.forEach((x, i) => {
    expect(Math.abs(x - wanted.sum[i]!) / scale).toBeLessThan(1e-5);
  });
};

const gram = async (
  graph: Graph,
  x: Tensor<'float32'>,
  { sizes = [x.shape[0]!], group, node }: { sizes?: readonly number[]; group?: number; node: string },
) => {
  const row = x.data.length / x.shape[0]!;
  const batches = async function* () {
    let at = 0;
    for (const size of sizes) {
      yield new Map<string, Tensor>([
        ['x', floats(x.data.subarray(at * row, (at + size) * row), [size, ...x.shape.slice(1)])],
      ]);
      at += size;
    }
  };
  const need = { statistic: 'gram', node, ...(group === undefined ? {} : { group }) } as const;
  return (await calibrate(graph, [need], { executor, batches })).find(need);
};

/** One node y over the input x, with a weight. */
const layer = (op: string, { x, w, attributes = {}, swap = false }: LayerParts): Graph => {
  const b = buildGraph();
  const data = b.input('x', 'float32', ['n', ...x.shape.slice(1)]);
  const weight = b.constant('w', w);
  b.output(b.add(op, swap ? [weight, data] : [data, weight], { name: 'y', attributes }));
  return b.finish();
};
interface LayerParts {
  readonly x: Tensor<'float32'>;
  readonly w: Tensor<'float32'>;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly swap?: boolean;
}

interface ConvCase {
  readonly groups: number;
  readonly perGroup: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
}

/** The rows that a convolution multiplies by the flattened weight of a group, written out. */
function rowsOf(x: Tensor<'float32'>, { perGroup, kernel, strides, dilations, pads }: ConvCase, group: number) {
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const reach = [dilations[0] * (kernel[0] - 1) + 1, dilations[1] * (kernel[1] - 1) + 1] as const;
  const out = [
    Math.floor((h + pads[0] + pads[2] - reach[0]) / strides[0]) + 1,
    Math.floor((w + pads[1] + pads[3] - reach[1]) / strides[1]) + 1,
  ] as const;
  const rows: number[][] = [];
  for (let sample = 0; sample < n; sample++)
    for (let oy = 0; oy < out[0]; oy++)
      for (let ox = 0; ox < out[1]; ox++) {
        const row: number[] = [];
        for (let channel = group * perGroup; channel < (group + 1) * perGroup; channel++)
          for (let ky = 0; ky < kernel[0]; ky++)
            for (let kx = 0; kx < kernel[1]; kx++) {
              const y = oy * strides[0] + ky * dilations[0] - pads[0];
              const z = ox * strides[1] + kx * dilations[1] - pads[1];
              const inside = y >= 0 && y < h && z >= 0 && z < w;
              row.push(inside ? x.data[((sample * c + channel) * h + y) * w + z]! : 0);
            }
        rows.push(row);
      }
  return rows;
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const pad = fc.integer({ min: 0, max: 2 });
const convCase: fc.Arbitrary<ConvCase> = fc.record({
  groups: fc.integer({ min: 1, max: 3 }),
  perGroup: fc.integer({ min: 1, max: 3 }),
  kernel: pair(1, 3),
  strides: pair(1, 2),
  dilations: pair(1, 2),
  pads: fc.tuple(pad, pad, pad, pad),
});

describe('gram', () => {
  it('equals XᵀX of the rows under the kernel, for any convolution and any batches', async () => {
    await fc.assert(
      fc.asyncProperty(convCase, fc.nat(), fc.constantFrom([3], [1, 2], [1, 1, 1]), async (conv, pick, sizes) => {
        const x = normals(3, conv.groups * conv.perGroup, 6, 5);
        const graph = layer('Conv', {
          x,
          w: normals(conv.groups * 2, conv.perGroup, ...conv.kernel),
          attributes: {
            group: int(conv.groups),
            strides: ints(conv.strides),
            dilations: ints(conv.dilations),
            pads: ints(conv.pads),
          },
        });
        const group = pick % conv.groups;
        const size = conv.perGroup * conv.kernel[0] * conv.kernel[1];
        const found = await gram(graph, x, { sizes, group, node: 'y/Conv' });
        expectGram(found, gramOfRows(rowsOf(x, conv, group), size));
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  it('pads as the layer does when it says SAME_UPPER', async () => {
    const conv: ConvCase = {
      groups: 1,
      perGroup: 2,
      kernel: [3, 2],
      strides: [2, 1],
      dilations: [1, 1],
      pads: [0, 0, 1, 1], // rows: 6 to 3, one to add, at the end; columns: 5 to 5, one to add
    };
    const x = normals(2, 2, 6, 5);
    const attributes = { auto_pad: text('SAME_UPPER'), strides: ints([2, 1]) };
    const graph = layer('Conv', { x, w: normals(4, 2, 3, 2), attributes });
    expectGram(await gram(graph, x, { node: 'y/Conv' }), gramOfRows(rowsOf(x, conv, 0), 12));
  });

  it('reads convolutions of one dimension', async () => {
    const x = normals(2, 3, 7);
    const conv: ConvCase = {
      groups: 1,
      perGroup: 3,
      kernel: [1, 3],
      strides: [1, 2],
      dilations: [1, 1],
      pads: [0, 1, 0, 0],
    };
    const graph = layer('Conv', { x, w: normals(4, 3, 3), attributes: { strides: ints([2]), pads: ints([1, 0]) } });
    const wide = floats(x.data, [2, 3, 1, 7]);
    expectGram(await gram(graph, x, { node: 'y/Conv' }), gramOfRows(rowsOf(wide, conv, 0), 9));
  });

  it('asks which group is meant where a convolution has several', async () => {
    const x = normals(1, 4, 3, 3);
    const graph = layer('Conv', { x, w: normals(4, 1, 1, 1), attributes: { group: int(4) } });
    await expect(gram(graph, x, { node: 'y/Conv' })).rejects.toMatchObject({
      code: 'CALIBRATION_NEED',
      message: expect.stringContaining('a group from 0 to 3'),
    });
  });

  it('reads the rows of MatMul through all leading axes', async () => {
    const x = normals(4, 2, 3, 5);
    const rows = Array.from({ length: 24 }, (_, i) => [...x.data.subarray(i * 5, i * 5 + 5)]);
    const graph = layer('MatMul', { x, w: normals(5, 6) });
    expectGram(await gram(graph, x, { sizes: [1, 3], node: 'y/MatMul' }), gramOfRows(rows, 5));
  });

  it('reads columns where the weight of MatMul stands on the left', async () => {
    const x = normals(2, 3, 4); // rows are x[n, :, j]
    const rows = [0, 1].flatMap((n) => [0, 1, 2, 3].map((j) => [0, 1, 2].map((k) => x.data[(n * 3 + k) * 4 + j]!)));
    const graph = layer('MatMul', { x, w: normals(6, 3), swap: true });
    expectGram(await gram(graph, x, { sizes: [1, 1], node: 'y/MatMul' }), gramOfRows(rows, 3));
  });

  it.each([
    ['Gemm', 0],
    ['Gemm', 1],
    ['com.microsoft::FusedMatMul', 1],
  ])('reads the rows of %s with transA %i', async (op, transA) => {
    const x = normals(4, 4);
    const at = (row: number, column: number) => x.data[transA ? column * 4 + row : row * 4 + column]!;
    const rows = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => at(row, column)));
    const graph = layer(op, { x, w: normals(4, 6), attributes: { transA: int(transA) } });
    expectGram(await gram(graph, x, { node: graph.nodes[0]!.id }), gramOfRows(rows, 4));
  });

  it('answers for every group of a convolution from one list of rows', async () => {
    const x = normals(2, 6, 4, 4);
    const conv: ConvCase = {
      groups: 3,
      perGroup: 2,
      kernel: [2, 2],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
    };
    const graph = layer('Conv', { x, w: normals(3, 2, 2, 2), attributes: { group: int(3) } });
    const needs = [0, 1, 2].map((group) => ({ statistic: 'gram', node: 'y/Conv', group }) as const);
    const batches = async function* () {
      yield new Map([['x', x]]);
    };
    const evidence = await calibrate(graph, needs, { executor, batches });
    needs.forEach((need) => {
      expectGram(evidence.find(need), gramOfRows(rowsOf(x, conv, need.group), 8));
    });
  });
});
