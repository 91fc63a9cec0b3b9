import { buildGraph, floats, fromNumbers, int, scalar } from '@espalier/core';
import { expect, test } from 'vitest';
import { coverageOf } from './coverage-of.js';

test('kernels are grouped by the numbers they compute on', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 3, 8, 8]);
  const s = b.constant('s', scalar(0.1));
  const z = b.constant('z', fromNumbers('uint8', [], [0]));
  const w = b.constant('w', fromNumbers('int8', [4, 3, 1, 1], new Int8Array(12)));
  const q = b.add('QuantizeLinear', [x, s, z]);
  const c = b.add('QLinearConv', [q, s, z, w, s, z, s, z]);
  const m = b.add('MaxPool', [c]);
  const d = b.add('DequantizeLinear', [m, s, z]);
  const shape = b.add('Shape', [d]);
  const to = b.add('Concat', [shape, b.constant('one', fromNumbers('int64', [1], [1]))], {
    attributes: { axis: int(0) },
  });
  const r = b.add('Reshape', [b.add('Softmax', [d]), to]);
  b.output(
    b.add('com.microsoft::MatMulNBits', [
      r,
      b.constant('p', fromNumbers('uint8', [1], [0])),
      b.constant('ps', floats([1])),
    ]),
  );
  const coverage = coverageOf(b.finish(), [
    { node: 'soft', op: 'Softmax', outcome: 'float', reason: 'Softmax stays float.' },
    { node: 'conv', op: 'Conv', outcome: 'quantized', reason: 'It is.' },
  ]);
  expect(coverage).toMatchObject({ quantizedOps: 3, floatOps: 2, conversions: 2, otherOps: 2 });
  expect(coverage.ops.quantized).toEqual({ MaxPool: 1, QLinearConv: 1, 'com.microsoft::MatMulNBits': 1 });
  expect(coverage.ops.float).toEqual({ Reshape: 1, Softmax: 1 });
  expect(coverage.stayedFloat).toEqual([{ node: 'soft', op: 'Softmax', reason: 'Softmax stays float.' }]);
});
