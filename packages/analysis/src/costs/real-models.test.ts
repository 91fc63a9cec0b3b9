import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOnnx } from '@espalier/onnx';
import { gunzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { inspectGraph } from '../inspection/inspect-graph.js';
import { costsOf } from './costs-of.js';

const folder = modelsFolder();
const load = (path: string) => {
  const bytes = new Uint8Array(readFileSync(join(folder ?? '', path)));
  return decodeOnnx(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
};

// Parameters and billions of multiply-adds as torchvision publishes them (its model pages; inception without its
// auxiliary classifier).
const published = [
  ['alexnet', 61_100_840, 0.714],
  ['convnext_tiny', 28_589_128, 4.456],
  ['densenet121', 7_978_856, 2.834],
  ['efficientnet_b0', 5_288_548, 0.386],
  ['mobilenet_v2', 3_504_872, 0.301],
  ['mobilenet_v3_small', 2_542_856, 0.057],
  ['regnet_y_400mf', 4_344_144, 0.402],
  ['resnet18', 11_689_512, 1.814],
  ['resnet50', 25_557_032, 4.089],
  ['shufflenet_v2_x1_0', 2_278_604, 0.145],
  ['squeezenet1_1', 1_235_496, 0.349],
  ['vit_b_16', 86_567_656, 17.564],
] as const;

describe.skipIf(!folder)(
  `published figures${folder ? '' : ' (skipped: no folder of real models, see ESPALIER_MODELS)'}`,
  () => {
    test.each(published)('%s', (name, parameters, billions) => {
      const costs = costsOf(load(`topologies/${name}.onnx.gz`));
      expect(costs.parameters).toBe(parameters);
      expect(costs.unknown).toEqual([]);
      expect(costs.macs! / 1e9).toBeCloseTo(billions, 3);
    });

    test('ResNet-20 with option-A shortcuts: 269,722 parameters and 40.55 million MACs', () => {
      const inspection = inspectGraph(load('resnet20-cifar10.onnx'), { bytes: 1_112_227 });
      expect(inspection).toMatchObject({ format: 'onnx', opset: 13, parameters: 269_722, bytes: 1_112_227 });
      // Stem, three stages of six convolutions (the first of the later ones at half the input channels), classifier.
      const stage = (size: number, channels: number, first: number) =>
        size * size * channels * 9 * (first + 5 * channels);
      const macs = 32 * 32 * 16 * 27 + stage(32, 16, 16) + stage(16, 32, 16) + stage(8, 64, 32) + 640;
      expect(inspection.macs).toBe(macs);
      expect(inspection.ops).toMatchObject({ Conv: 19, Gemm: 1, BatchNormalization: 19 });
      expect(inspection.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['batch', 3, 32, 32] }]);
      expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
    });

    test('a model that takes sound of any length says so, and counts more once the length is given', () => {
      const model = load('silero_vad_16k_op15.onnx');
      expect(costsOf(model).macs).toBeUndefined();
      expect(inspectGraph(model).warnings[0]).toContain('MACs');
      const sized = costsOf(model, { sizes: { sequence: 512 } });
      expect(sized.unknown.length).toBeLessThan(costsOf(model).unknown.length);
      expect(sized.knownMacs).toBeGreaterThan(1e5);
    });
  },
);
