import { buildGraph, floats, fromNumbers, type Graph, int, type Tensor } from '@espalier/core';
import { expect, test } from 'vitest';
import { snrDb } from '../comparison/snr-db.js';
import { weightErrors } from './weight-errors.js';

const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + 1));
const codes = values.map((v) => Math.round(v * 7));
const rounded = codes.map((q) => Math.fround(q * Math.fround(1 / 7)));

function gemm(transB: 0 | 1): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, transB ? 16 : 4]);
  const w = b.constant('w', floats(values, [4, 16]));
  b.output(b.add('Gemm', [x, w], { name: 'y', attributes: { transB: int(transB) } }));
  return b.finish();
}

const packedRows = () => {
  const bytes = new Uint8Array(32);
  codes.forEach((q, i) => {
    bytes[i >> 1]! |= (q + 8) << (4 * (i & 1));
  });
  return bytes;
};

test('a weight in QDQ form is compared dequantized', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 16]);
  const q = b.constant('w_quantized', fromNumbers('int8', [4, 16], codes));
  const w = b.add('DequantizeLinear', [q, b.constant('w_scale', floats([1 / 7], []))]);
  b.output(b.add('Gemm', [x, w], { name: 'y', attributes: { transB: int(1) } }));
  const errors = weightErrors(gemm(1), b.finish());
  expect(errors).toMatchObject([{ weight: 'w', changed: 'w_quantized', op: 'Gemm' }]);
  expect(errors[0]?.snrDb).toBeCloseTo(snrDb(values, rounded), 6);
  expect(errors[0]?.snrDb).toBeGreaterThan(15);
});

test('a Gemm weight packed in blocks is turned back to the layout of the original', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 16]);
  const w = b.constant('packed', fromNumbers('uint8', [4, 1, 8], packedRows()));
  const s = b.constant('scales', floats(new Float32Array(4).fill(1 / 7), [4, 1]));
  const attributes = { K: int(16), N: int(4), bits: int(4), block_size: int(16) };
  b.output(b.add('com.microsoft::MatMulNBits', [x, w, s], { name: 'y', attributes }));
  const errors = weightErrors(gemm(1), b.finish());
  expect(errors).toMatchObject([{ weight: 'w', changed: 'packed' }]);
  expect(errors[0]?.snrDb).toBeCloseTo(snrDb(values, rounded), 6);
});

test('float16 and pruned weights are compared as they are; a weight of another size is left out', () => {
  const withWeight = (tensor: Tensor): Graph => ({ ...gemm(0), constants: new Map([['w', tensor]]) });
  const half = weightErrors(gemm(0), withWeight(fromNumbers('float16', [4, 16], values)));
  expect(half[0]?.snrDb).toBeGreaterThan(65);
  const pruned = values.map((v) => (Math.abs(v) < 0.5 ? 0 : v));
  expect(weightErrors(gemm(0), withWeight(floats(pruned, [4, 16])))[0]?.snrDb).toBeCloseTo(snrDb(values, pruned), 9);
  expect(weightErrors(gemm(0), withWeight(floats(values.slice(0, 32), [2, 16])))).toEqual([]);
});
