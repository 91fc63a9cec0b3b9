import { floats, noEvidence, toFloats } from '@espalier/core';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { run, tryOut } from '../../test/oracle.js';
import { codebooks } from '../codebook.js';
import { weightsQuantizer } from './weights.js';

const draw = normals(5);
const [rows, columns] = [45, 31]; // blocks of 64 cross rows, and the last byte holds one code

const layer = network({
  inputs: { x: float32('n', rows) },
  outputs: ['y'],
  constants: { w: draw([columns, rows]), b: draw([columns]) },
  lines: [['g', 'Gemm', ['x', 'w', 'b'], ['y'], { transB: { kind: 'int', value: 1 } }]],
});

test.each(['nf4', 'fp4'] as const)('onnxruntime multiplies by what the codes of %s stand for', async (codebook) => {
  const { graph } = weightsQuantizer({ codebook, block: 64 })(layer).apply(noEvidence);
  const [packed, scale] = ['w_quantized', 'w_scale'].map((name) => graph.constants.get(name)!);
  expect([packed!.shape, scale!.shape]).toEqual([
    [Math.ceil((rows * columns) / 2)],
    [Math.ceil((rows * columns) / 64)],
  ]);
  const code = (i: number) => (Number(packed!.data[i >> 1]) >> (i % 2 === 0 ? 4 : 0)) & 15;
  const restored = (i: number) => codebooks[codebook][code(i)]! * Number(scale!.data[Math.floor(i / 64)]);
  const identity = floats(
    Float32Array.from({ length: rows * rows }, (_, i) => (i % (rows + 1) === 0 ? 1 : 0)),
    [rows, rows],
  );
  const y = toFloats((await run(graph, new Map([['x', identity]]))).get('y')!);
  const bias = toFloats(layer.constants.get('b')!);
  const wanted = Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return Math.fround(Math.fround(restored(column * rows + row)) + bias[column]!);
  });
  y.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
});

test('NF4 does better than evenly spaced values on normally distributed weights', async () => {
  const feeds = [new Map([['x', draw([20, rows])]])];
  const [nf4, fp4, even] = await Promise.all(
    [{ codebook: 'nf4' as const }, { codebook: 'fp4' as const }, {}].map((options) =>
      tryOut(layer, weightsQuantizer({ block: 64, clip: 'minmax', ...options }), feeds),
    ),
  );
  expect(nf4!.ops).toEqual({ 'com.microsoft::MatMulBnb4': 1, Add: 1 });
  expect(nf4!.notes[0]?.reason).toMatch(/^4-bit NF4 weights, one scale per 64/);
  expect(nf4!.snrDb.get('y')!).toBeGreaterThan(Math.max(even!.snrDb.get('y')!, fp4!.snrDb.get('y')!));
});

test('what a codebook has no use for is refused', () => {
  expect(() => weightsQuantizer({ codebook: 'nf4', bits: 8 })).toThrow(/bits/);
  expect(() => weightsQuantizer({ codebook: 'nf4', embeddings: true })).toThrow(/embeddings/);
});
