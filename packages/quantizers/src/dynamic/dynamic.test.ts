import { checkGraph, float, floats, int, ints, type Note, noEvidence, tensor, text, toNumbers } from '@espalier/core';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { fusedOps, run, tryOut } from '../../test/oracle.js';
import { quantizationError } from '../quantization-error.js';
import { dynamicQuantizer } from './dynamic.js';

const draw = normals(5);
const feeds = (shape: readonly number[]) => [new Map([['x', draw(shape)]])];
const outcomes = (notes: readonly Note[]) => Object.fromEntries(notes.map(({ node, outcome }) => [node, outcome]));
const granularities = ['channel', 'tensor'] as const;

const mlp = network({
  inputs: { x: float32('batch', 32) },
  outputs: ['y'],
  constants: { w1: draw([32, 64], 0.2), b1: draw([64]), w2: draw([10, 64]), b2: draw([10]) },
  lines: [
    ['m', 'MatMul', ['x', 'w1'], ['h']],
    ['a', 'Add', ['h', 'b1'], ['hb']],
    ['r', 'Relu', ['hb'], ['hr']],
    ['g', 'Gemm', ['hr', 'w2', 'b2'], ['y'], { transB: int(1), alpha: float(0.5), beta: float(2) }],
  ],
});

test.each(granularities)('MatMul and Gemm fuse to DynamicQuantizeMatMul, one scale per %s', async (granularity) => {
  const { graph, ops, snrDb, notes } = await tryOut(
    mlp,
    dynamicQuantizer({ weights: { granularity } }),
    feeds([5, 32]),
  );
  expect(ops).toEqual({ 'com.microsoft::DynamicQuantizeMatMul': 2, Relu: 1 });
  expect(snrDb.get('y')).toBeGreaterThan(30);
  expect(outcomes(notes)).toEqual({ m: 'quantized', a: 'float', r: 'float', g: 'quantized' });
  expect(graph.constants.get('w2_quantized')).toMatchObject({ dtype: 'int8', shape: [64, 10] });
  checkGraph(graph);
});

test('no data is needed, and equal inputs give equal results', () => {
  expect(dynamicQuantizer()(mlp).needs).toEqual([]);
  expect(dynamicQuantizer()(mlp).apply(noEvidence)).toEqual(dynamicQuantizer()(mlp).apply(noEvidence));
});

test('an activation that several layers read is quantized once, a matrix they share stored once', () => {
  const graph = network({
    inputs: { x: float32(2, 8) },
    outputs: ['y', 'z'],
    constants: { w: draw([8, 8]) },
    lines: [
      ['m1', 'MatMul', ['x', 'w'], ['y']],
      ['m2', 'Gemm', ['x', 'w'], ['z']],
    ],
  });
  const { graph: quantized } = dynamicQuantizer()(graph).apply(noEvidence);
  expect(quantized.nodes.filter(({ op }) => op === 'DynamicQuantizeLinear')).toHaveLength(1);
  expect(
    [...quantized.constants.values()].filter(({ dtype, shape }) => dtype === 'int8' && shape.length === 2),
  ).toHaveLength(1);
});

const lstm = (direction: string, hidden = 96) => {
  const directions = direction === 'bidirectional' ? 2 : 1;
  return network({
    inputs: { x: float32(7, 3, 8) },
    outputs: ['y', 'h', 'c'],
    constants: {
      w: draw([directions, 4 * hidden, 8], 0.3),
      r: draw([directions, 4 * hidden, hidden], 0.1),
      b: draw([directions, 8 * hidden], 0.3),
      h0: draw([directions, 3, hidden]),
      c0: draw([directions, 3, hidden]),
    },
    lines: [
      [
        'l',
        'LSTM',
        ['x', 'w', 'r', 'b', undefined, 'h0', 'c0'],
        ['y', 'h', 'c'],
        { hidden_size: int(hidden), direction: text(direction) },
      ],
    ],
  });
};

test.each(
  ['forward', 'reverse', 'bidirectional'].flatMap((direction) =>
    granularities.map((each) => [direction, each] as const),
  ),
)('a %s LSTM, one scale per %s, agrees with the float one', async (direction, granularity) => {
  const { ops, snrDb, bytes } = await tryOut(
    lstm(direction),
    dynamicQuantizer({ weights: { granularity } }),
    feeds([7, 3, 8]),
  );
  expect(ops).toEqual({ 'com.microsoft::DynamicQuantizeLSTM': 1 });
  for (const decibels of snrDb.values()) expect(decibels).toBeGreaterThan(28);
  expect(bytes).toBeLessThan(0.55);
});

test('an LSTM of few units, which onnxruntime is slower at in integers, is stored in 8 bits', async () => {
  const { ops, notes, snrDb, bytes } = await tryOut(lstm('forward', 64), dynamicQuantizer(), feeds([7, 3, 8]));
  expect(ops).toEqual({ LSTM: 1 });
  expect(notes[0]).toMatchObject({
    outcome: 'quantized',
    reason: expect.stringMatching(/64 units is faster in float/),
  });
  expect(bytes).toBeLessThan(0.5);
  for (const decibels of snrDb.values()) expect(decibels).toBeGreaterThan(28);
});

test('GRU keeps float arithmetic with weights stored in 8 bits, and says so', async () => {
  const graph = network({
    inputs: { x: float32(7, 3, 8) },
    outputs: ['y'],
    constants: { w: draw([1, 48, 8], 0.3), r: draw([1, 48, 16], 0.3), b: draw([1, 96], 0.3) },
    lines: [['g', 'GRU', ['x', 'w', 'r', 'b'], ['y'], { hidden_size: int(16) }]],
  });
  const { ops, snrDb, notes } = await tryOut(graph, dynamicQuantizer(), feeds([7, 3, 8]));
  expect(ops).toEqual({ GRU: 1 });
  expect(snrDb.get('y')).toBeGreaterThan(30);
  expect(notes[0]).toMatchObject({ outcome: 'quantized', details: { weightBits: 8, compute: 'float32' } });
  const left = dynamicQuantizer({ recurrent: false })(graph).apply(noEvidence);
  expect(left.graph).toBe(graph);
  expect(left.notes[0]?.reason).toMatch(/recurrent/);
});

const convolutions = network({
  inputs: { x: float32(1, 8, 12, 12) },
  outputs: ['y'],
  constants: {
    w1: draw([16, 8, 3, 3], 0.1),
    b1: draw([16]),
    wt: draw([16, 8, 2, 2], 0.1),
    w2: draw([4, 8, 3, 3], 0.1),
  },
  lines: [
    ['c1', 'Conv', ['x', 'w1', 'b1'], ['a'], { pads: ints([1, 1, 1, 1]) }],
    ['r', 'Relu', ['a'], ['ar']],
    ['ct', 'ConvTranspose', ['ar', 'wt'], ['b'], { strides: ints([2, 2]) }],
    ['c2', 'Conv', ['b', 'w2'], ['y']],
  ],
});

test('convolutions are stored in 8 bits and folded back at load: a small file at the speed of float', async () => {
  const { ops, snrDb, bytes, notes } = await tryOut(convolutions, dynamicQuantizer(), feeds([1, 8, 12, 12]));
  expect(ops).toEqual({ 'com.microsoft::FusedConv': 1, ConvTranspose: 1, Conv: 1 });
  expect(snrDb.get('y')).toBeGreaterThan(30);
  expect(bytes).toBeLessThan(0.45);
  expect(notes.find(({ node }) => node === 'c1')?.reason).toMatch(/stored in 8 bits.*computed in float/);
});

test.each(granularities)('convolutions become ConvInteger on request, one scale per %s', async (granularity) => {
  const quantizer = dynamicQuantizer({ convs: 'integer', weights: { granularity } });
  const { ops, snrDb } = await tryOut(convolutions, quantizer, feeds([1, 8, 12, 12]));
  expect(ops['ConvInteger']).toBe(2);
  expect(snrDb.get('y')).toBeGreaterThan(25);
});

test.each(granularities)('unsigned weights stand for the same numbers, one scale per %s', async (granularity) => {
  const cases = [
    [mlp, feeds([5, 32]), 'w2'],
    [lstm('bidirectional'), feeds([7, 3, 8]), 'w'],
    [convolutions, feeds([1, 8, 12, 12]), 'w1'],
  ] as const;
  for (const [graph, given, name] of cases) {
    const [unsigned, signed] = (['uint8', 'int8'] as const).map((type) =>
      dynamicQuantizer({ weights: { granularity, type }, convs: 'integer' })(graph).apply(noEvidence),
    );
    const codes = unsigned!.graph.constants.get(`${name}_quantized`)!;
    expect(codes.dtype).toBe('uint8');
    expect(toNumbers(codes)).toEqual(
      toNumbers(signed!.graph.constants.get(`${name}_quantized`)!).map((code) => code + 128),
    );
    const [a, b] = [await run(unsigned!.graph, given[0]!), await run(signed!.graph, given[0]!)];
    for (const [output, value] of a) expect(quantizationError(b.get(output)!, value).snrDb, output).toBeGreaterThan(35);
  }
});

test('convolutions are left alone on request', () => {
  const { graph, notes } = dynamicQuantizer({ convs: 'float' })(convolutions).apply(noEvidence);
  expect(graph).toBe(convolutions);
  expect(new Set(notes.map(({ outcome }) => outcome))).toEqual(new Set(['float']));
});

const embedding = network({
  inputs: { ids: { dtype: 'int64', shape: [2, 6] } },
  outputs: ['y'],
  constants: { table: draw([100, 32]), w: draw([32, 8]) },
  lines: [
    ['e', 'Gather', ['table', 'ids'], ['h']],
    ['m', 'MatMul', ['h', 'w'], ['y']],
  ],
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

test.each(granularities)('embeddings are looked up as integers, one scale per %s', async (granularity) => {
  const { graph, snrDb, notes } = await tryOut(embedding, dynamicQuantizer({ weights: { granularity } }), ids);
  expect(graph.constants.get('table_quantized')?.dtype).toBe('int8');
  expect(snrDb.get('y')).toBeGreaterThan(28);
  expect(outcomes(notes)).toEqual({ e: 'quantized', m: 'quantized' });
  const left = dynamicQuantizer({ embeddings: false })(embedding).apply(noEvidence).notes;
  expect(outcomes(left)).toEqual({ e: 'float', m: 'quantized' });
});

test('quantizing again changes nothing', () => {
  for (const graph of [mlp, lstm('forward'), convolutions, embedding]) {
    const once = dynamicQuantizer()(graph).apply(noEvidence).graph;
    expect(once).not.toBe(graph);
    expect(dynamicQuantizer()(once).apply(noEvidence).graph).toBe(once);
  }
});

test('weights use 7 bits where the range is reduced, and clip where that is asked for', async () => {
  const reduced = dynamicQuantizer({ reduceRange: true })(mlp).apply(noEvidence).graph;
  const codes = toNumbers(reduced.constants.get('w1_quantized')!);
  expect(Math.max(...codes.map(Math.abs))).toBe(64);
  const { snrDb } = await tryOut(mlp, dynamicQuantizer({ weights: { clip: 'mse' } }), feeds([5, 32]));
  expect(snrDb.get('y')).toBeGreaterThan(30);
});

test.each([
  [
    'a transposed first input',
    { lines: [['g', 'Gemm', ['x', 'w'], ['y'], { transA: int(1) }]] as const },
    /transposed/,
  ],
  ['two activations', { lines: [['g', 'MatMul', ['x', 'x'], ['y']]] as const }, /run time/],
  ['infinite weights', { lines: [['g', 'MatMul', ['x', 'bad'], ['y']]] as const }, /NaN or infinity/],
])('the note says why a node stays float: %s', (_, parts, reason) => {
  const bad = floats(new Float32Array(64).fill(Number.POSITIVE_INFINITY), [8, 8]);
  const graph = network({
    inputs: { x: float32(8, 8) },
    outputs: ['y'],
    constants: { w: draw([8, 8]), bad },
    ...parts,
  });
  const outcome = dynamicQuantizer()(graph).apply(noEvidence);
  expect(outcome.graph).toBe(graph);
  expect(outcome.notes[0]?.reason).toMatch(reason);
});

test('a graph with a free batch size runs at several', async () => {
  const { graph } = dynamicQuantizer()(mlp).apply(noEvidence);
  for (const batch of [1, 3]) {
    const result = await run(graph, new Map([['x', draw([batch, 32])]]));
    expect(result.get('y')?.shape).toEqual([batch, 10]);
  }
  expect(Object.keys(await fusedOps(graph))).toContain('com.microsoft::DynamicQuantizeMatMul');
});
