import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGraph, createRandom, floats, fromNumbers, int, scalar } from '@espalier/core';
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

it('runs quantized graphs as onnxruntime does', async () => {
  const random = createRandom(2);
  const b = buildGraph();
  const scales = Float32Array.from({ length: 6 }, (_, i) => 0.01 + i / 1000);
  const weight = b.constant(
    'w',
    fromNumbers(
      'int8',
      [6, 3, 3, 3],
      Array.from({ length: 162 }, () => random.below(255) - 127),
    ),
  );
  const around = (value: string, [scale, zero]: readonly [string, string]) =>
    b.add('DequantizeLinear', [b.add('QuantizeLinear', [value, scale, zero]), scale, zero]);
  const pair = (name: string, scale: number, zero: number) =>
    [b.constant(`${name}_s`, scalar(scale)), b.constant(`${name}_z`, fromNumbers('uint8', [], [zero]))] as const;
  const attributes = { axis: int(0) };
  const w = b.add('DequantizeLinear', [weight, b.constant('w_scale', floats(scales))], { attributes });
  const x = around(b.input('x', 'float32', ['n', 3, 12, 12]), pair('x', 0.02, 128));
  b.output(around(b.add('Relu', [b.add('Conv', [x, w])]), pair('y', 0.1, 0)), 'y');
  const graph = b.finish();
  const feeds = randomFeeds(graph);
  const found = await (await executor.open(graph)).run(feeds);
  // A sum that lies between two steps may round either way; that is one step of the output.
  const [a, c] = [(await runOnnx(graph, feeds)).get('y')!.data as Float32Array, found.get('y')!.data as Float32Array];
  expect(a.filter((each, i) => Math.abs(each - c[i]!) > 1e-5).length).toBeLessThan(a.length / 500);
  expect(a.some((each) => each > 0)).toBe(true);
});
