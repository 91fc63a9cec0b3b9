import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOnnx } from '@espalier/onnx';
import { simplify } from '@espalier/passes';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import { createTensorCore } from './create-tensor-core.js';

const folder = modelsFolder();
const executor = createTensorCore();
afterAll(() => executor.close());

const models = [
  'resnet20-cifar10',
  'squeezenet_cifar10',
  'super_resolution',
  'ultraface-version-RFB-320',
  'yunet_n_320_320',
];

// Without the models there is nothing to compare.
describe.skipIf(folder === undefined)('real models agree with onnxruntime', () => {
  it.each(models)('%s', async (name) => {
    const graph = simplify(decodeOnnx(new Uint8Array(readFileSync(join(folder!, `${name}.onnx`)))));
    const feeds = randomFeeds(graph);
    const [want, session] = [await runOnnx(graph, feeds), await executor.open(graph)];
    const found = await session.run(feeds);
    for (const [output, { data, shape }] of want) {
      const mine = found.get(output)!;
      expect(mine.shape).toEqual(shape);
      const [a, b] = [data as Float32Array, mine.data as Float32Array]; // all of them give floats
      const scale = a.reduce((top, each) => Math.max(top, Math.abs(each)), 0);
      const worst = a.reduce((top, each, i) => Math.max(top, Math.abs(each - b[i]!)), 0);
      // onnxruntime's own Sigmoid is off by about 1e-7 where it is almost 0.
      expect(worst).toBeLessThan(1e-4 * scale + 5e-7);
    }
    await session.close();
  });
});
