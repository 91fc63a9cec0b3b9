import { buildGraph, floats, type Graph, int, type Tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, test } from 'vitest';
import { hessianVectors } from './hessian-vectors.js';

const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
afterAll(() => executor.close());

/** L = Σ w³, of the weights as they are or fake-quantized with steps far smaller than any number here. */
function cubes(quantized: boolean): Graph {
  const b = buildGraph({
    inputs: [],
    outputs: [],
    nodes: [],
    opsets: new Map([
      ['', 18],
      ['espalier', 1],
    ]),
  });
  const w = b.input('w', 'float32', [2]);
  const scale = b.constant('scale', floats([0.001], []));
  const x = quantized
    ? b.add('espalier::FakeQuantize', [w, scale], { name: 'fq', attributes: { bits: int(16) } })
    : b.add('Identity', [w]);
  const cube = b.add('Mul', [b.add('Mul', [x, x]), x]);
  b.output(b.add('ReduceSum', [cube], { name: 'loss', attributes: { keepdims: int(0) } }));
  return b.finish();
}

describe('products with the Hessian', () => {
  // diag(6 w) v
  const feeds = new Map<string, Tensor>([['w', floats([1, 2])]]);
  const vectors = new Map<string, Tensor>([['w', floats([1, -0.5])]]);

  test('are exact where every op can be differentiated twice', async () => {
    const products = await hessianVectors({ graph: cubes(false), loss: 'loss', wrt: ['w'], executor });
    expect(products.note).toBeUndefined();
    expect([...((await products.along(vectors, feeds)).get('w')!.data as Float32Array)]).toEqual([6, -6]);
    await products.close();
  });

  test('are differences of gradients elsewhere, and say so', async () => {
    const products = await hessianVectors({ graph: cubes(true), loss: 'loss', wrt: ['w'], executor });
    expect(products.note).toMatchObject({ outcome: 'warning', op: 'espalier::FakeQuantizeGradient' });
    expect(products.note!.reason).toContain('Products with the Hessian are central differences of gradients');
    const found = (await products.along(vectors, feeds)).get('w')!.data;
    expect(Math.abs(Number(found[0]) - 6)).toBeLessThan(0.5); // straight-through over steps of a thousandth
    expect(Math.abs(Number(found[1]) + 6)).toBeLessThan(0.5);
    await products.close();
  });

  test('are refused where there is no gradient', async () => {
    const b = buildGraph();
    const w = b.input('w', 'float32', [1, 1, 2]);
    const layer = b.add(
      'LSTM',
      [
        w,
        b.constant('a', floats(new Float32Array(24), [1, 12, 2])),
        b.constant('b', floats(new Float32Array(36), [1, 12, 3])),
      ],
      {
        attributes: { hidden_size: int(3) },
      },
    );
    b.output(b.add('ReduceSum', [layer], { name: 'loss', attributes: { keepdims: int(0) } }));
    await expect(hessianVectors({ graph: b.finish(), loss: 'loss', wrt: ['w'], executor })).rejects.toMatchObject({
      code: 'AUTODIFF_OP',
    });
  });
});
