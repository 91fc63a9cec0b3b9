import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Compressor, type Graph, sizeOf, type Tensor, tensor } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { simplify } from '@espalier/passes';
import { gunzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { randomizeWeights } from '../../../test/randomize-weights.js';
import { normals } from '../test/networks.js';
import { compare, tryOut } from '../test/oracle.js';
import { dynamicQuantizer } from './dynamic/dynamic.js';
import { fp16Quantizer } from './float16/fp16.js';
import { minmax } from './observers/minmax.js';
import { staticQuantizer } from './static/static.js';

const folder = modelsFolder();
const draw = normals(21);

const load = (name: string): Graph => simplify(decodeOnnx(new Uint8Array(readFileSync(join(folder!, name)))));

function feedsOf(graph: Graph): ReadonlyMap<string, Tensor> {
  return new Map(
    graph.inputs.map((name): [string, Tensor] => {
      const { dtype, shape = [] } = graph.values.get(name)!;
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : dim === 'sequence' ? 512 : 1));
      if (dtype === 'int64') return [name, tensor('int64', sizes, new BigInt64Array(sizeOf(sizes)).fill(16000n))];
      return [name, draw(sizes)];
    }),
  );
}

const quantizers: Readonly<Record<string, Compressor>> = {
  static: staticQuantizer({ activations: { observer: minmax() } }),
  dynamic: dynamicQuantizer(),
  fp16: fp16Quantizer(),
};

const models = [
  'resnet20-cifar10.onnx',
  'squeezenet_cifar10.onnx',
  'ultraface-version-RFB-320.onnx',
  'yunet_n_320_320.onnx',
  'super_resolution.onnx',
  'silero_vad_16k_op15.onnx',
];

describe.skipIf(!folder)('real models (skipped where the folder of models is absent)', () => {
  test.each(models.flatMap((model) => Object.keys(quantizers).map((kind) => [model, kind] as const)))(
    '%s loads, runs and shrinks under %s',
    async (model, kind) => {
      const graph = load(model);
      const { snrDb, bytes, notes } = await compare(graph, quantizers[kind]!, [feedsOf(graph), feedsOf(graph)]);
      expect(bytes).toBeLessThan(0.75);
      expect(notes.some(({ outcome }) => outcome === 'quantized')).toBe(true);
      // Noise is the hardest input; where a detector finds nothing, its smallest outputs are mostly rounding.
      const ordered = [...snrDb.values()].sort((x, y) => x - y);
      expect(ordered.some(Number.isNaN)).toBe(false);
      expect(ordered[ordered.length >> 1]).toBeGreaterThan(kind === 'fp16' ? 40 : 10);
    },
  );

  test('all 19 convolutions and the classifier of ResNet-20 run on integers', async () => {
    const graph = load('resnet20-cifar10.onnx');
    const { ops } = await tryOut(graph, quantizers['static']!, [feedsOf(graph)]);
    expect(ops).toMatchObject({ QLinearConv: 19, 'com.microsoft::QGemm': 1, 'com.microsoft::QLinearAdd': 9 });
    expect(ops['Conv']).toBeUndefined();
  });

  test('all 52 convolutions of MobileNetV2 run on integers, with one pair at the ends', async () => {
    const packed = readFileSync(join(folder!, 'topologies/mobilenet_v2.onnx.gz'));
    const graph = simplify(randomizeWeights(decodeOnnx(gunzipSync(new Uint8Array(packed))), 1));
    const small = { ...graph, values: new Map(graph.values) };
    const { ops, notes } = await tryOut(small, quantizers['static']!, [feedsOf(small)]);
    expect(ops).toEqual({
      QuantizeLinear: 1,
      QLinearConv: 52,
      'com.microsoft::QLinearAdd': 10,
      'com.microsoft::QLinearGlobalAveragePool': 1,
      Flatten: 1,
      'com.microsoft::QGemm': 1,
    });
    expect(new Set(notes.map(({ outcome }) => outcome))).toEqual(new Set(['quantized']));
  });
});
