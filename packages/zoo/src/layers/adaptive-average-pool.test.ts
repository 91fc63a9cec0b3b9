import { floats } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { runOnnx } from '../../../../test/run-onnx.js';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { adaptiveAveragePool } from './adaptive-average-pool.js';

const pool = async (from: number, to: number, values: readonly number[]) => {
  const model = createModel({ name: 'pool', seed: 0 });
  const out = adaptiveAveragePool(model, imageInput(model, { channels: 1, size: from }), to);
  const graph = model.finish(out.value, ['batch', 1, to, to]);
  const result = await runOnnx(graph, new Map([['input', floats(values, [1, 1, from, from])]]));
  return result.get(graph.outputs[0]!)!;
};

describe('adaptiveAveragePool', () => {
  it('averages windows side by side where sizes divide', async () => {
    const { data } = await pool(
      4,
      2,
      Array.from({ length: 16 }, (_, i) => i),
    );
    expect([...(data as Float32Array)]).toEqual([2.5, 4.5, 10.5, 12.5]);
  });

  it('lets windows overlap where they do not, and repeats places of a map that is too small', async () => {
    // 3 to 2: windows 0..2 and 1..3 on each axis.
    const overlapping = await pool(3, 2, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...(overlapping.data as Float32Array)]).toEqual([2, 3, 5, 6]);
    // 2 to 3: windows 0..1, 0..2 and 1..2.
    const repeated = await pool(2, 3, [0, 2, 4, 6]);
    expect([...(repeated.data as Float32Array)]).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6]);
  });
});
