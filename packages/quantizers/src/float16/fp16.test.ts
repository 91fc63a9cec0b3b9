import { checkGraph, floats, int, ints, noEvidence, type Tensor, tensor, text } from '@espalier/core';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { tryOut } from '../../test/oracle.js';
import { weightsQuantizer } from '../weights/weights.js';
import { fp16Quantizer } from './fp16.js';

const draw = normals(13);
const net = network({
  inputs: { x: float32(1, 8, 12, 12) },
  outputs: ['y', 'z'],
  constants: {
    w1: draw([16, 8, 3, 3], 0.1),
    b1: draw([16]),
    w2: draw([4, 16, 3, 3], 0.1),
    sizes: floats([1, 1, 2, 2]),
  },
  lines: [
    ['c1', 'Conv', ['x', 'w1', 'b1'], ['a'], { pads: ints([1, 1, 1, 1]) }],
    ['r', 'Relu', ['a'], ['z']],
    ['up', 'Resize', ['z', undefined, 'sizes'], ['b'], { mode: text('nearest') }],
    ['c2', 'Conv', ['b', 'w2'], ['y']],
  ],
});
const feeds = [new Map([['x', draw([1, 8, 12, 12])]])];

test('storing in float16 halves the file and folds away when it is loaded', async () => {
  const { graph, ops, snrDb, bytes } = await tryOut(net, fp16Quantizer(), feeds);
  expect(ops['Cast']).toBeUndefined();
  expect(bytes).toBeLessThan(0.65);
  expect(snrDb.get('y')).toBeGreaterThan(60);
  expect(graph.constants.get('w1_float16')?.dtype).toBe('float16');
  expect(graph.constants.get('sizes')?.dtype).toBe('float32');
  checkGraph(graph);
});

test('computing in float16 keeps inputs and outputs, and the ops that need it, in float32', async () => {
  const { graph, snrDb, notes } = await tryOut(net, fp16Quantizer({ compute: 'float16' }), feeds);
  expect(snrDb.get('y')).toBeGreaterThan(55);
  expect(snrDb.get('z')).toBeGreaterThan(55);
  expect(graph.values.get('a')?.dtype).toBe('float16');
  expect(graph.values.get('y')?.dtype).toBe('float32');
  expect(Object.fromEntries(notes.map(({ node, outcome }) => [node, outcome]))).toEqual({
    c1: 'quantized',
    r: 'quantized',
    up: 'float',
    c2: 'quantized',
  });
  checkGraph(graph);
});

test('matrices in 4-bit blocks compute in float16 with their scales', async () => {
  const graph = network({
    inputs: { x: float32(3, 64) },
    outputs: ['y'],
    constants: { w: draw([64, 64]), b: draw([64]) },
    lines: [
      ['m', 'MatMul', ['x', 'w'], ['h']],
      ['a', 'Add', ['h', 'b'], ['y']],
    ],
  });
  const blocks = weightsQuantizer()(graph).apply(noEvidence).graph;
  const halves = fp16Quantizer({ compute: 'float16' });
  const { graph: half, snrDb } = await tryOut(blocks, halves, [new Map([['x', draw([3, 64])]])]);
  expect(half.constants.get('w_scale_float16')).toMatchObject({ dtype: 'float16', shape: [64, 2] });
  expect(half.values.get('h')?.dtype).toBe('float16');
  expect(snrDb.get('y')).toBeGreaterThan(50);
});

test('further ops stay in float32 on request', () => {
  const { notes } = fp16Quantizer({ compute: 'float16', keep: ['Relu'], ignore: ['c1'] })(net).apply(noEvidence);
  expect(notes.map(({ outcome }) => outcome)).toEqual(['float', 'float', 'float', 'quantized']);
});

const matrix = (value: number) =>
  network({
    inputs: { x: float32(2, 8) },
    outputs: ['y'],
    constants: { w: floats(new Float32Array(64).fill(value), [8, 8]) },
    lines: [['m', 'MatMul', ['x', 'w'], ['y']]],
  });

test('values beyond float16 keep their constant in float32, with a warning', () => {
  const graph = matrix(1e5);
  const stored = fp16Quantizer()(graph).apply(noEvidence);
  expect(stored.graph).toBe(graph);
  expect(stored.notes.map(({ outcome }) => outcome)).toEqual(['warning', 'float']);
  expect(stored.notes[0]?.reason).toMatch(/"w".*65504/);
  const computed = fp16Quantizer({ compute: 'float16' })(graph).apply(noEvidence);
  expect(computed.graph).toBe(graph);
  expect(computed.notes[0]?.reason).toMatch(/"w".*65504/);
});

test('weights that become zero are counted', () => {
  expect(fp16Quantizer()(matrix(1e-9)).apply(noEvidence).notes[0]?.details).toMatchObject({ flushed: 64 });
  expect(fp16Quantizer()(matrix(1e-5)).apply(noEvidence).notes[0]?.details).toMatchObject({ flushed: 0 });
});

test('quantizing again changes nothing', () => {
  const once = fp16Quantizer()(net).apply(noEvidence).graph;
  expect(fp16Quantizer()(once).apply(noEvidence).graph).toBe(once);
});

test('values that a loop or branch reads reach it in float32', async () => {
  const body = network({ inputs: {}, outputs: ['inner'], lines: [['i', 'Identity', ['h'], ['inner']]] });
  const bare = { ...body, opsets: new Map() };
  const graph = network({
    inputs: { x: float32(2, 8), flag: { dtype: 'bool', shape: [] } },
    outputs: ['y'],
    constants: { w: draw([8, 8]) },
    lines: [
      ['m', 'MatMul', ['x', 'w'], ['h']],
      [
        'if',
        'If',
        ['flag'],
        ['o'],
        { then_branch: { kind: 'graph', value: bare }, else_branch: { kind: 'graph', value: bare } },
      ],
      ['n', 'MatMul', ['o', 'w'], ['y']],
    ],
  });
  const flagged = [
    new Map<string, Tensor>([
      ['x', draw([2, 8])],
      ['flag', tensor('bool', [], Uint8Array.of(1))],
    ]),
  ];
  const { snrDb, notes } = await tryOut(graph, fp16Quantizer({ compute: 'float16' }), flagged);
  expect(snrDb.get('y')).toBeGreaterThan(50);
  expect(notes.map(({ outcome }) => outcome)).toEqual(['quantized', 'float', 'quantized']);
});

test('integer graphs pass through', () => {
  const graph = network({
    inputs: { i: { dtype: 'int64', shape: [3] } },
    outputs: ['j'],
    lines: [['c', 'Cast', ['i'], ['j'], { to: int(6) }]],
  });
  for (const compute of ['float32', 'float16'] as const) {
    expect(fp16Quantizer({ compute })(graph).apply(noEvidence)).toEqual({ graph, notes: [] });
  }
});
