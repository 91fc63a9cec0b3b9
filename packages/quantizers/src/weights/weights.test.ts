import {
  checkGraph,
  float,
  floats,
  instantiate,
  int,
  ints,
  noEvidence,
  tensor,
  toNumbers,
  unpack,
} from '@espalier/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { tryOut } from '../../test/oracle.js';
import { blockWeights, nBitsLayout } from './block-weights.js';
import { weightsQuantizer } from './weights.js';

const draw = normals(9);
const rows = 100; // not a multiple of the block
const feeds = [new Map([['x', draw([5, rows])]])];
const mlp = network({
  inputs: { x: float32(5, rows) },
  outputs: ['y'],
  constants: { w1: draw([rows, 64], 0.2), w2: draw([48, 64]), b2: draw([48]) },
  lines: [
    ['m', 'MatMul', ['x', 'w1'], ['h']],
    ['r', 'Tanh', ['h'], ['hr']],
    ['g', 'Gemm', ['hr', 'w2', 'b2'], ['y'], { transB: int(1), alpha: float(0.5), beta: float(2) }],
  ],
  opset: 21,
});

const leastDb = { 2: 2, 4: 14, 8: 35 } as const;

test.each(
  ([2, 4, 8] as const).flatMap((bits) =>
    [true, false].flatMap((symmetric) =>
      (['matmulnbits', 'qdq'] as const).map((form) => [bits, symmetric ? 'symmetric' : 'asymmetric', form] as const),
    ),
  ),
)('%i-bit %s weights as %s run as MatMulNBits', async (bits, kind, form) => {
  const quantizer = weightsQuantizer({ bits, symmetric: kind === 'symmetric', form });
  // int2 came with opset 25.
  const net = bits === 2 && form === 'qdq' ? { ...mlp, opsets: new Map([['', 25]]) } : mlp;
  const { graph, ops, snrDb, bytes, notes } = await tryOut(net, quantizer, feeds);
  expect(ops).toEqual({ 'com.microsoft::MatMulNBits': 2, Tanh: 1 });
  expect(snrDb.get('y')).toBeGreaterThan(leastDb[bits]);
  expect(bytes).toBeLessThan(bits / 32 + 0.15);
  expect(notes.map(({ outcome }) => outcome)).toEqual(['quantized', 'float', 'quantized']);
  expect(notes[0]?.details).toMatchObject({ weightBits: bits, granularity: 'block', block: 32 });
  checkGraph(graph);
});

test('the layout is that of MatMulNBits: columns, blocks, packed codes low nibble first', () => {
  const values = Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? i - 15 : 0));
  const grid = { bits: 4, signed: true, symmetric: true };
  const blocks = blockWeights(values, [16, 2], { grid, block: 16, clip: 'minmax' });
  const { integers, scale, zeroPoint } = nBitsLayout(blocks, grid);
  expect(zeroPoint).toBeUndefined();
  expect(integers.length).toBe(2 * 8);
  const first = [...unpack(integers.subarray(0, 8), 16, 4, false)];
  first.forEach((code, row) => {
    expect(Math.abs((code - 8) * scale[0]! - values[row * 2]!)).toBeLessThanOrEqual(scale[0]! * 0.5001);
  });
  expect([...integers.subarray(8)]).toEqual(Array(8).fill(0x88));
});

test('the codes and scales say what dequantizing gives, whatever the matrix, block and grid', () => {
  fc.assert(
    fc.property(
      fc.record({
        rows: fc.integer({ min: 1, max: 70 }),
        columns: fc.integer({ min: 1, max: 5 }),
        bits: fc.constantFrom(2, 4, 8),
        symmetric: fc.boolean(),
        seed: fc.integer({ min: 0, max: 1000 }),
      }),
      ({ rows: k, columns: n, bits, symmetric, seed }) => {
        const { data } = normals(seed)([k, n]);
        const grid = { bits, signed: symmetric, symmetric };
        const made = blockWeights(data, [k, n], { grid, block: 16, clip: 'minmax' });
        const { integers, scale, zeroPoint } = nBitsLayout(made, grid);
        const blocks = Math.ceil(k / 16);
        const width = Math.ceil((blocks * bits) / 8);
        const read = (bytes: Uint8Array, count: number, at: number) =>
          bits === 8 ? bytes[at]! : unpack(bytes, count, bits as 2 | 4, false)[at]!;
        for (let column = 0; column < n; column++) {
          for (let row = 0; row < k; row++) {
            const block = Math.floor(row / 16);
            const code = read(
              integers.subarray(column * blocks * 2 * bits, (column + 1) * blocks * 2 * bits),
              blocks * 16,
              row,
            );
            const zero = zeroPoint
              ? read(zeroPoint.subarray(column * width, (column + 1) * width), blocks, block)
              : 2 ** (bits - 1);
            const step = scale[column * blocks + block]!;
            if (Math.abs((code - zero) * step - data[row * n + column]!) > step * 1.001) return false;
          }
        }
        return true;
      },
    ),
    { numRuns: 40 },
  );
});

test('a smaller block never does worse on average, and clipping by squared error helps', async () => {
  const wide = await tryOut(mlp, weightsQuantizer({ block: 128 }), feeds);
  const narrow = await tryOut(mlp, weightsQuantizer({ block: 16 }), feeds);
  expect(narrow.snrDb.get('y')!).toBeGreaterThan(wide.snrDb.get('y')!);
  const coarse = await tryOut(mlp, weightsQuantizer({ bits: 2, clip: 'minmax' }), feeds);
  const clipped = await tryOut(mlp, weightsQuantizer({ bits: 2, clip: 'mse' }), feeds);
  expect(clipped.snrDb.get('y')!).toBeGreaterThan(coarse.snrDb.get('y')!);
});

test('the accuracy level is written where it is set', () => {
  const level = (accuracyLevel: number) =>
    weightsQuantizer({ accuracyLevel })(mlp)
      .apply(noEvidence)
      .graph.nodes.find(({ op }) => op.endsWith('NBits'));
  expect(level(0)?.attributes.has('accuracy_level')).toBe(false);
  expect(level(4)?.attributes.get('accuracy_level')).toEqual({ kind: 'int', value: 4 });
});

const convolution = network({
  inputs: { x: float32(1, 8, 12, 12) },
  outputs: ['y'],
  constants: { w: draw([16, 8, 3, 3], 0.1), b: draw([16]) },
  lines: [['c', 'Conv', ['x', 'w', 'b'], ['y'], { pads: ints([1, 1, 1, 1]) }]],
});

test('weights of convolutions follow on request, per channel', async () => {
  expect(weightsQuantizer()(convolution).apply(noEvidence).graph).toBe(convolution);
  const image = [new Map([['x', draw([1, 8, 12, 12])]])];
  const { graph, snrDb, bytes } = await tryOut(convolution, weightsQuantizer({ convs: true }), image);
  expect(graph.constants.get('w_quantized')).toMatchObject({ dtype: 'int4', shape: [16, 8, 3, 3] });
  expect(graph.constants.get('w_scale')?.shape).toEqual([16]);
  expect(snrDb.get('y')).toBeGreaterThan(14);
  expect(bytes).toBeLessThan(0.4);
});

const embedding = network({
  inputs: { ids: { dtype: 'int64', shape: [2, 6] } },
  outputs: ['y'],
  constants: { table: draw([100, 48]) },
  lines: [['e', 'Gather', ['table', 'ids'], ['y']]],
});
const ids = [
  new Map([
    [
      'ids',
      tensor(
        'int64',
        [2, 6],
        BigInt64Array.from({ length: 12 }, (_, i) => BigInt((i * 7) % 100)),
      ),
    ],
  ]),
];

test.each([
  [2, true],
  [4, true],
  [4, false],
  [8, true],
  [8, false],
] as const)('embeddings follow on request as GatherBlockQuantized: %i bits, symmetric %s', async (bits, symmetric) => {
  expect(weightsQuantizer({ tables: 'float' })(embedding).apply(noEvidence).graph).toBe(embedding);
  const { ops, snrDb } = await tryOut(embedding, weightsQuantizer({ bits, symmetric, embeddings: true }), ids);
  expect(ops).toEqual({ 'com.microsoft::GatherBlockQuantized': 1 });
  expect(snrDb.get('y')).toBeGreaterThan(leastDb[bits]);
});

test('small matrices, excluded nodes and weights that are not finite stay float with a reason', () => {
  const reason = (options: object, graph = mlp) => weightsQuantizer(options)(graph).apply(noEvidence).notes[0]?.reason;
  expect(reason({ smallest: 1e6 })).toMatch(/fewer than 1000000/);
  expect(reason({ ignore: ['m'] })).toMatch(/`ignore`/);
  const bad = floats(new Float32Array(rows * 64).fill(Number.NaN), [rows, 64]);
  const broken = { ...mlp, constants: new Map([...mlp.constants, ['w1', bad] as const]) };
  expect(reason({}, broken)).toMatch(/NaN/);
});

test('quantizing again changes nothing, and a matrix read twice is stored once', () => {
  const once = weightsQuantizer()(mlp).apply(noEvidence).graph;
  expect(weightsQuantizer()(once).apply(noEvidence).graph).toBe(once);
  const shared = network({
    inputs: { x: float32(5, 64) },
    outputs: ['y', 'z'],
    constants: { w: draw([64, 64]) },
    lines: [
      ['a', 'MatMul', ['x', 'w'], ['y']],
      ['b', 'MatMul', ['x', 'w'], ['z']],
    ],
  });
  expect([...weightsQuantizer()(shared).apply(noEvidence).graph.constants.keys()]).toEqual(['w_quantized', 'w_scale']);
});

test('options that cannot go together are refused', () => {
  expect(() => instantiate(weightsQuantizer, { bits: 3 })).toThrow(/one of 2, 4, 8/);
  expect(() => instantiate(weightsQuantizer, { block: 48 })).toThrow(/one of 16, 32, 64, 128, 256/);
  expect(() => weightsQuantizer({ form: 'qdq', accuracyLevel: 4 })).toThrow(/matmulnbits/);
});

test('blocks of the standard form have scales of shape [blocks, columns]', () => {
  const { graph } = weightsQuantizer({ form: 'qdq', symmetric: false })(mlp).apply(noEvidence);
  expect(graph.constants.get('w1_scale')?.shape).toEqual([4, 64]);
  expect(graph.constants.get('w1_zero_point')).toMatchObject({ dtype: 'uint4', shape: [4, 64] });
  expect(Math.max(...toNumbers(graph.constants.get('w1_zero_point')!))).toBeGreaterThan(0);
});
