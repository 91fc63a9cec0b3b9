import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, floats, type Need, tensorInfo, toFloats } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { calibrate } from './calibrate.js';

const models = modelsFolder();

describe.skipIf(!models)('calibrate, on real models (needs the models folder)', () => {
  it('sees in ResNet-20 what its activations show when they are fetched', async () => {
    const path = join(models!, 'resnet20-cifar10.onnx');
    const graph = inferShapes(decodeOnnx(new Uint8Array(readFileSync(path))));
    const random = createRandom(4);
    const x = floats(Float32Array.from({ length: 4 * 3 * 32 * 32 }, random.normal), [4, 3, 32, 32]);
    const batches = async function* () {
      yield new Map([['image', floats(x.data.subarray(0, 3 * 3072), [3, 3, 32, 32])]]);
      yield new Map([['image', floats(x.data.subarray(3 * 3072), [1, 3, 32, 32])]]);
    };
    const values = graph.nodes
      .filter(({ op }) => ['Conv', 'Relu', 'Add'].includes(op))
      .map((node) => node.outputs[0]!)
      .filter((value) => tensorInfo(graph, value)?.dtype === 'float32');
    expect(values.length).toBeGreaterThan(40);
    const executor = createOnnxRuntime({ threads: 1 });
    const evidence = await calibrate(
      graph,
      values.flatMap((value): Need[] => [
        { statistic: 'range', value },
        { statistic: 'histogram', value, bins: 128 },
      ]),
      { executor, batches },
    );

    const session = await executor.open({ ...graph, outputs: values });
    const activations = await session.run(new Map([['image', x]]));
    for (const value of values) {
      const all = toFloats(activations.get(value)!);
      const { min, max } = evidence.find({ statistic: 'range', value })!;
      // Another graph may fuse otherwise and round otherwise.
      const near = 1e-4 * Math.max(Math.abs(min), max);
      expect(Math.abs(all.reduce((a, b) => Math.min(a, b)) - min)).toBeLessThan(near);
      expect(Math.abs(all.reduce((a, b) => Math.max(a, b)) - max)).toBeLessThan(near);
      const { counts } = evidence.find({ statistic: 'histogram', value, bins: 128 })!;
      expect(counts.reduce((a, b) => a + b)).toBe(all.length);
      const upper = all.filter((each) => each > (min + max) / 2).length;
      const counted = counts.subarray(64).reduce((a, b) => a + b);
      expect(Math.abs(counted - upper)).toBeLessThan(5 + all.length / 1000);
    }
    await executor.close();
  });
});
