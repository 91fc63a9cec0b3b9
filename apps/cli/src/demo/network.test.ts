import { memoryFiles } from '@espalier/core';
import { fitToInput, labelsOf, synthetic } from '@espalier/datasets';
import { decodeOnnx } from '@espalier/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { demoNetwork } from './network.js';

describe('the network of the demo', () => {
  it('is small, has everything that a real one has, and takes any batch', () => {
    const bytes = demoNetwork();
    expect(bytes.length).toBeLessThan(160_000);
    const graph = decodeOnnx(bytes);
    expect(new Set(graph.nodes.map(({ op }) => op))).toEqual(
      new Set(['Conv', 'BatchNormalization', 'Relu', 'Add', 'GlobalAveragePool', 'Flatten', 'Gemm']),
    );
    expect(graph.values.get('image')).toEqual({ dtype: 'float32', shape: ['batch', 3, 16, 16] });
  });

  it('knows the synthetic images without any preprocessing said', async () => {
    const input = { name: 'image', dtype: 'float32', shape: ['batch', 3, 16, 16] } as const;
    const data = fitToInput(await synthetic({ split: 'test' })({ files: memoryFiles(), seed: 0 }), input);
    const session = await InferenceSession.create(demoNetwork());
    const [labels, read] = [await labelsOf(data), await data.read(Array.from({ length: 1000 }, (_, i) => i))];
    const values = read.get('image')!.data as Float32Array; // fitted to a float32 input
    const { logits } = await session.run({ image: new Tensor('float32', values, [1000, 3, 16, 16]) });
    await session.release();
    const rows = logits!.data as Float32Array; // the network's only output is float32
    let right = 0;
    for (let s = 0; s < 1000; s++) {
      const row = rows.subarray(10 * s, 10 * s + 10);
      if (row.indexOf(Math.max(...row)) === labels[s]) right++;
    }
    expect(right / 1000).toBeGreaterThan(0.96);
  });
});
