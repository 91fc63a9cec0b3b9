import { costsOf } from '@espalier/analysis';
import { gradients, parametersOf, trainingForm } from '@espalier/autodiff';
import { buildGraph, checkGraph, type Graph, int, sizeOf, type Tensor } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { writeSafetensors } from '@espalier/safetensors';
import { describePlugin, runKit } from '@espalier/testing';
import { registry } from 'espalier';
import { describe, expect, it } from 'vitest';
import { randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import * as zoo from './index.js';

const { alexnet, bertTiny, decoderTiny, lenet5, mobilenetV2, resnet18, resnet20, resnet32, resnet56 } = zoo;
const { shufflenetV2, stateDict, vgg7, vitTiny } = zoo;

/** Elements of the weights, without the running statistics of batch norms: what PyTorch's `parameters()` counts. */
const count = (graph: Graph): number =>
  [...stateDict(graph)]
    .filter(([name]) => !name.includes('.running_'))
    .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);

const models = registry.list('model');

describe('every model', () => {
  // Width is a factor for convolutional networks; the transformers are small as they are.
  for (const plugin of models) {
    const slim = plugin.options['width']?.type === 'number' ? { with: { width: 0.1 } } : {};
    runKit(describePlugin(plugin, slim), { describe, it });
  }
});

/** Each architecture, small enough to run in a moment, and the shape of its output for one sample. */
const small: readonly (readonly [graph: () => Graph, output: readonly number[]])[] = [
  [() => lenet5(), [10]],
  [() => lenet5({ size: 32, channels: 3, classes: 7 }), [7]],
  [() => vgg7({ width: 0.25 }), [10]],
  [() => resnet20(), [10]],
  [() => resnet20({ shortcut: 'B', size: 28, channels: 1, classes: 5 }), [5]],
  [() => resnet32(), [10]],
  [() => resnet56({ size: 17 }), [10]],
  [() => resnet18({ size: 64, width: 0.5 }), [1000]],
  [() => resnet18({ size: 32, classes: 10, stem: 'small', width: 0.25 }), [10]],
  [() => mobilenetV2({ size: 64, classes: 10 }), [10]],
  [() => mobilenetV2({ size: 32, classes: 10, stem: 'small', width: 0.5 }), [10]],
  [() => shufflenetV2({ size: 64, classes: 10 }), [10]],
  [() => shufflenetV2({ size: 32, classes: 10, stem: 'small', width: 0.75 }), [10]],
  [() => alexnet({ size: 96, classes: 10, width: 0.25 }), [10]],
  [() => alexnet({ size: 256, classes: 10, width: 0.125 }), [10]],
  [() => vitTiny({ size: 32, patch: 8, depth: 2, classes: 10 }), [10]],
  [() => bertTiny({ sequence: 16, vocabulary: 100 }), [2]],
  [() => bertTiny({ sequence: 16, positions: 16, vocabulary: 100, classes: 4 }), [4]],
  [() => decoderTiny({ sequence: 16 }), [16, 256]],
];

describe.each(small.map(([make, output]) => [make.toString().slice(6), make, output] as const))(
  '%s',
  (_, make, output) => {
    const graph = make();

    it('is a sound graph of opset 18 in which every shape is known', () => {
      const typed = inferShapes(checkGraph(graph));
      expect(graph.opsets).toEqual(new Map([['', 18]]));
      const unknown = typed.nodes.flatMap((node) => node.outputs).filter((value) => !typed.values.get(value!)?.shape);
      expect(unknown).toEqual([]);
      expect(typed.values.get('logits')).toEqual({ dtype: 'float32', shape: ['batch', ...output] });
    });

    it.each([1, 3])('runs in onnxruntime with a batch of %i', async (batch) => {
      const logits = (await runOnnx(graph, randomFeeds(graph, { sizes: { batch } }))).get('logits')!;
      expect(logits.shape).toEqual([batch, ...output]);
      expect((logits.data as Float32Array).every(Number.isFinite)).toBe(true);
    });

    it('has gradients for every weight, under its own name', () => {
      const form = trainingForm(graph);
      const parameters = parametersOf(form).map(({ value }) => value);
      // Rows cut from a longer table are computed from constants alone, so folding gives them the name of the cut.
      const cut = form.constants.has('bert.embeddings.places');
      const wanted = [...stateDict(graph).keys()]
        .filter((name) => !name.includes('.running_'))
        .map((name) => (cut && name.includes('position_embeddings') ? 'bert.embeddings.places' : name));
      expect([...parameters].sort()).toEqual(wanted.sort());
      const b = buildGraph(form);
      const loss = b.add('ReduceMean', ['logits'], { attributes: { keepdims: int(0) } });
      const found = gradients(b.finish(), loss, parameters);
      expect(found.gradients.size).toBe(parameters.length);
    });
  },
);

describe('the number of parameters', () => {
  // The numbers of torchvision's documentation (`num_params` of each set of weights) where it has the network.
  it.each([
    ['resnet18', 11_689_512],
    ['mobilenet-v2', 3_504_872],
    ['shufflenet-v2', 2_278_604],
    ['alexnet', 61_100_840],
    // Sums of weights by hand from the papers' tables; 5.7M and 4.4M are published for the two transformers.
    ['lenet5', 61_706],
    ['vgg7', 12_978_058],
    ['resnet20', 269_722],
    ['resnet32', 464_154],
    ['resnet56', 853_018],
    ['vit-tiny', 5_717_416],
    ['bert-tiny', 4_385_920 + 258],
    ['decoder-tiny', 842_496],
  ])('of %s is %i', (id, parameters) => {
    const graph = (registry.find('model', id) as unknown as () => Graph)(); // every option has a default
    expect(count(graph)).toBe(parameters);
    expect(costsOf(inferShapes(graph)).parameters).toBe(parameters);
  });

  it('is that of the networks with 10 classes', () => {
    expect(count(mobilenetV2({ classes: 10 }))).toBe(2_236_682);
    expect(count(shufflenetV2({ classes: 10 }))).toBe(1_263_854);
    expect(count(resnet18({ classes: 10 }))).toBe(11_181_642);
    expect(count(resnet18({ classes: 10, stem: 'small' }))).toBe(11_173_962);
    // AlexNet differs by its last layer only.
    const last = ({ constants }: Graph) =>
      ['weight', 'bias'].map((each) => constants.get(`classifier.6.${each}`)!.shape);
    expect(last(alexnet({ classes: 10, width: 0.25 }))).toEqual([[10, 1024], [10]]);
    expect(61_100_840 - 990 * 4097).toBe(57_044_810);
  });

  it('of the residual networks grows by their projections with shortcut B', () => {
    expect([resnet20, resnet32, resnet56].map((make) => count(make({ shortcut: 'B' })))).toEqual([
      272_474, 466_906, 855_770,
    ]);
  });

  it('does not depend on the input size where layers are pooled, and is the same for padded and unpadded digits', () => {
    expect(count(lenet5({ size: 32 }))).toBe(61_706);
    expect(count(mobilenetV2({ size: 96 }))).toBe(3_504_872);
  });

  it('follows the published widths', () => {
    // torchvision's num_params of mobilenet (none published for 0.5: Sandler et al. say 1.95M) and shufflenet.
    expect(count(shufflenetV2({ width: 0.5 }))).toBe(1_366_792);
    expect(count(shufflenetV2({ width: 1.5 }))).toBe(3_503_624);
    expect(count(shufflenetV2({ width: 2 }))).toBe(7_393_996);
    expect(count(mobilenetV2({ width: 0.5 })) / 1.95e6).toBeCloseTo(1, 1);
    expect(count(resnet20({ width: 2 })) / count(resnet20())).toBeGreaterThan(3.9);
  });

  it('of the decoder follows its formula, which gives that of GPT-2 small', () => {
    const formula = ([v, s, l, d]: readonly [number, number, number, number]) =>
      v * d + s * d + l * (12 * d * d + 13 * d) + 2 * d;
    expect(count(decoderTiny({ vocabulary: 50, sequence: 20, depth: 3, width: 24, heads: 4 }))).toBe(
      formula([50, 20, 3, 24]),
    );
    expect(formula([50_257, 1024, 12, 768])).toBe(124_439_808);
  });
});

describe('first weights', () => {
  const bytes = (graph: Graph) => Buffer.concat(writeSafetensors({ tensors: stateDict(graph) }));

  it('depend on the seed and nothing else', () => {
    expect(bytes(resnet20({ seed: 5 })).equals(bytes(resnet20({ seed: 5 })))).toBe(true);
    const [a, b] = [5, 6].map((seed) => resnet20({ seed }).constants.get('layer2.0.conv1.weight')!.data[0]);
    expect(a).not.toBe(b);
  });

  it('of one tensor do not depend on what else the model has', () => {
    const name = 'layer3.2.conv2.weight';
    expect(resnet20().constants.get(name)).toEqual(resnet32({ shortcut: 'B' }).constants.get(name));
  });

  it('have the deviation that torchvision gives them', () => {
    const { constants } = resnet18({ classes: 1000, width: 0.5 });
    const weight = constants.get('layer4.1.conv1.weight')!; // fan-out 256 · 9
    expect(deviation(weight) / Math.sqrt(2 / (256 * 9))).toBeCloseTo(1, 2);
    const fc = constants.get('fc.weight')!; // uniform in ±1/√256
    expect(deviation(fc) / (1 / Math.sqrt(256 * 3))).toBeCloseTo(1, 2);
    expect(Math.max(...(fc.data as Float32Array).subarray(0, 50_000).map(Math.abs))).toBeLessThanOrEqual(1 / 16);
    expect(new Set(constants.get('bn1.weight')!.data as Float32Array)).toEqual(new Set([1]));
    expect(new Set(constants.get('bn1.running_mean')!.data as Float32Array)).toEqual(new Set([0]));
  });
});

function deviation({ data }: Tensor): number {
  const values = data as Float32Array; // float32 weights
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(1e-3);
  return Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length);
}

describe('attention', () => {
  const run = async (graph: Graph, changes: Readonly<Record<string, (data: BigInt64Array) => void>> = {}) => {
    const feeds = new Map(randomFeeds(graph, { seed: 3, sizes: { batch: 2 } }));
    for (const [name, change] of Object.entries(changes)) {
      const data = (feeds.get(name)!.data as BigInt64Array).slice();
      change(data);
      feeds.set(name, { ...feeds.get(name)!, data } as Tensor); // the same dtype and shape
    }
    return (await runOnnx(graph, feeds)).get('logits')!.data as Float32Array;
  };

  it('of the decoder looks back only', async () => {
    const graph = decoderTiny({ sequence: 8, depth: 2, width: 32, vocabulary: 11 });
    const before = await run(graph);
    const after = await run(graph, { input_ids: (ids) => ids.fill(7n, 5, 8) });
    expect(after.slice(0, 5 * 11)).toEqual(before.slice(0, 5 * 11));
    for (let place = 5; place < 8; place++) expect(after[place * 11]).not.toBe(before[place * 11]);
    expect(after.slice(8 * 11)).toEqual(before.slice(8 * 11)); // the other sample of the batch
  });

  it('of the encoder leaves out what the mask hides', async () => {
    const graph = bertTiny({ sequence: 8, vocabulary: 50 });
    const hide = (mask: BigInt64Array) => mask.fill(1n).fill(0n, 6, 8);
    const words = (ids: BigInt64Array) => ids.fill(33n, 6, 8);
    const masked = await run(graph, { attention_mask: hide });
    expect(await run(graph, { attention_mask: hide, input_ids: words })).toEqual(masked);
    const open = (mask: BigInt64Array) => mask.fill(1n);
    expect(await run(graph, { attention_mask: open, input_ids: words })).not.toEqual(
      await run(graph, { attention_mask: open }),
    );
  });
});

describe('sizes that do not go together', () => {
  it.each([
    [() => vitTiny({ size: 30 }), 'model vit-tiny.size: expected a multiple of patch (16), found 30.'],
    [() => vitTiny({ heads: 5 }), 'model vit-tiny.width: expected a multiple of heads (5), found 192.'],
    [() => bertTiny({ sequence: 600 }), 'model bert-tiny.sequence: expected at most `positions` (512), found 600.'],
    [
      () => alexnet({ width: 64 }),
      'model alexnet, weight "features.3.weight": expected at most 2^29 elements, found [12288,4096,5,5].',
    ],
    [() => resnet20({ size: 2 }), 'model resnet20.size: expected a whole number from 4 to 4096, found 2.'],
  ])('are refused: %s', (make, message) => {
    expect(make).toThrow(message);
  });
});

it('lists all models in the preset', () => {
  const ids = Object.values(zoo).flatMap((each) => ('kind' in each ? [`${each.kind} ${each.id}`] : []));
  expect(models.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual(ids.sort());
  expect(ids.length).toBe(12);
});
