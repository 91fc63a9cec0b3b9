import { evidenceOf, type Graph, type Need, needKey, noEvidence, type Target, toNumbers } from '@espalier/core';
import { onnxruntimeTarget } from '@espalier/onnxruntime/target';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../test/networks.js';
import { dynamicQuantizer } from './dynamic/dynamic.js';
import { minmax } from './observers/minmax.js';
import { staticQuantizer } from './static/static.js';
import { weightsQuantizer } from './weights/weights.js';

/** A runtime that computes on symmetric int8 alone, one scale per tensor, and absorbs no activation. */
const small: Target = {
  name: 'acme',
  opsets: new Map([['', 14]]),
  integer: {
    activations: [{ type: 'int8', fused: true, zeroPoint: 'middle' }],
    weights: [{ type: 'int8', fused: true, zeroPoint: 'middle' }],
    channelZeroPoints: 'equal',
    kernels: { Conv: {}, Add: { eager: true }, Mul: {}, Sigmoid: { range: { min: 0, max: 127 / 128 } } },
    tails: [],
    bias: 'float',
  },
  dynamic: {},
  packed: { 'com.microsoft::MatMulNBits': { bits: [4], blocks: [32], zeroPoints: false } },
};

const draw = normals(4);
const net = network({
  inputs: { x: float32(1, 8, 6, 6) },
  outputs: ['y', 'ty'],
  constants: {
    w: draw([8, 8, 1, 1]),
    b: draw([8]),
    v: draw([8, 8, 1, 1]),
    m: draw([6, 32]),
    up: draw([8, 8, 2, 2]),
  },
  lines: [
    ['c', 'Conv', ['x', 'w', 'b'], ['cy']],
    ['r', 'Relu', ['cy'], ['ry']],
    ['d', 'Conv', ['ry', 'v'], ['dy']],
    ['h', 'HardSwish', ['dy'], ['hy']],
    ['s', 'Sigmoid', ['dy'], ['sy']],
    ['p', 'Mul', ['dy', 'sy'], ['py']],
    ['e', 'Conv', ['py', 'v'], ['ey']],
    ['f', 'Conv', ['hy', 'v'], ['fy']],
    ['t', 'ConvTranspose', ['fy', 'up'], ['ty']],
    ['l', 'MatMul', ['ey', 'm'], ['y']],
  ],
  opset: 14,
});

const seen = (needs: readonly Need[]) =>
  evidenceOf(new Map(needs.map((need) => [needKey(need), { min: -1, max: 3 }])), 1);
const options = { activations: { observer: minmax(), signed: true, symmetric: true } };
const quantized = (graph: Graph, target?: Target) => {
  const plan = staticQuantizer({ ...options, ...(target ? { target } : {}) })(graph);
  return plan.apply(seen(plan.needs));
};

test('a written graph obeys its target: codes, zero points, scales, tails, biases', () => {
  const { graph, notes } = quantized(net, small);
  const zeroPoints = [...graph.constants].filter(([name]) => name.endsWith('_zero_point'));
  expect(zeroPoints.length).toBeGreaterThan(5);
  for (const [, zero] of zeroPoints) {
    expect(zero.dtype).toBe('int8');
    expect(toNumbers(zero)).toEqual([0]); // one per tensor
  }
  expect(graph.constants.get('b')?.dtype).toBe('float32');
  const ops = new Map(notes.map(({ node, outcome, reason }) => [node!, [outcome, reason] as const]));
  expect(ops.get('c')).toEqual(['quantized', '8-bit weights, one scale per tensor, 8-bit activations.']);
  expect(ops.get('r')).toEqual(['float', 'Acme has no fused integer kernel for Relu.']);
  expect(ops.get('h')).toEqual(['float', 'Acme has no fused integer kernel for HardSwish.']);
  expect(ops.get('l')).toEqual(['float', 'Acme has no fused integer kernel for MatMul.']);
  expect(graph.constants.get('up')?.dtype).toBe('float32'); // it stores no constants as codes
  // The target prescribes the output range of Sigmoid: 127/128 in 127 steps of one half of 255.
  expect(toNumbers(graph.constants.get('sy_scale')!)[0]).toBeCloseTo((2 * 127) / 128 / 255, 7);
});

test('without a target the file is for onnxruntime', () => {
  expect(quantized(net)).toEqual(quantized(net, onnxruntimeTarget()));
  expect(quantized(net).notes.find(({ node }) => node === 'h')?.outcome).toBe('quantized');
});

test('options that ask for more than a target has are refused', () => {
  const refuse = (make: () => unknown, message: RegExp) => expect(make).toThrow(message);
  const observer = minmax();
  refuse(
    () => staticQuantizer({ target: small, activations: { observer } }),
    /activations in int8 \(target acme\), found uint8/,
  );
  refuse(
    () => staticQuantizer({ target: small, activations: { observer, signed: true } }),
    /symmetric activations in int8/,
  );
  refuse(() => staticQuantizer({ ...options, target: small, weights: { bits: 4 } }), /at most opset 14/);
  refuse(() => weightsQuantizer({ target: small, bits: 8 }), /4 bits for com.microsoft::MatMulNBits/);
  refuse(() => weightsQuantizer({ target: small, block: 64 }), /blocks of 32/);
  refuse(() => weightsQuantizer({ target: small, symmetric: false }), /symmetric weights/);
  refuse(() => weightsQuantizer({ target: small, form: 'qdq' }), /opset 21/);
  refuse(() => weightsQuantizer({ target: small, embeddings: true }), /GatherBlockQuantized/);
});

test('where a target has no integer matrices, their weights are stored if it restores them', () => {
  const storing: Target = { ...small, storage: { types: ['int8'], scales: 'tensor' } };
  const mlp = network({
    inputs: { x: float32(5, 6) },
    outputs: ['y'],
    constants: { m: draw([6, 32]) },
    lines: [['l', 'MatMul', ['x', 'm'], ['y']]],
  });
  const { graph, notes } = dynamicQuantizer({ target: storing })(mlp).apply(noEvidence);
  expect(graph.nodes.map(({ op }) => op)).toEqual(['Cast', 'Mul', 'MatMul']);
  expect(graph.constants.get('m_scale')?.shape).toEqual([]);
  expect(notes[0]?.reason).toBe(
    'Weights stored in 8 bits, one scale per tensor; computed in float, because acme has no integer kernel for MatMul.',
  );
  expect(dynamicQuantizer({ target: small })(mlp).apply(noEvidence).notes[0]).toMatchObject({
    outcome: 'float',
    reason: 'Acme has no integer kernel for MatMul.',
  });
});
