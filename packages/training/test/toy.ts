import { crossEntropy, parametersOf, sgd, trainingForm } from '@espalier/autodiff';
import {
  buildGraph,
  createRandom,
  type Dataset,
  type Executor,
  floats,
  type Graph,
  int,
  ints,
  longs,
  type Tensor,
  tensor,
} from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { cosine } from '@espalier/schedules';
import type { Masks, TrainRequest } from '../src/index.js';

/** Convolution, batch norm, pooling and a linear layer on 8x8 grey images of three textures. */
export function toyModel(): Graph {
  const random = createRandom(11);
  const normal = (shape: readonly number[], scale: number) =>
    floats(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
      shape,
    );
  const filled = (value: number) => floats(new Float32Array(8).fill(value));
  const b = buildGraph();
  const x = b.input('image', 'float32', ['batch', 1, 8, 8]);
  const conv = b.add('Conv', [x, b.constant('conv.weight', normal([8, 1, 3, 3], 0.4))], {
    attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) },
  });
  const statistics = [
    b.constant('bn.scale', filled(1)),
    b.constant('bn.bias', filled(0)),
    b.constant('bn.mean', filled(0)),
    b.constant('bn.variance', filled(1)),
  ];
  const norm = b.add('BatchNormalization', [conv, ...statistics], { name: 'norm' });
  const pooled = b.add('Flatten', [b.add('GlobalAveragePool', [b.add('Relu', [norm])])], {
    attributes: { axis: int(1) },
  });
  const scores = b.add(
    'Gemm',
    [pooled, b.constant('fc.weight', normal([3, 8], 0.5)), b.constant('fc.bias', floats([0, 0, 0]))],
    {
      name: 'scores',
      attributes: { transB: int(1) },
    },
  );
  b.info(scores, { dtype: 'float32', shape: ['batch', 3] });
  b.output(scores);
  return b.finish();
}

/** The model with its scores reshaped as the int64 tensor in an attribute of a Constant node says. */
export function withTarget(model: Graph, shape: readonly number[]): Graph {
  const b = buildGraph({ ...model, outputs: [] });
  const target = b.add('Constant', [], { attributes: { value: { kind: 'tensor', value: longs(shape) } } });
  const scores = b.add('Reshape', [model.outputs[0], target]);
  b.info(scores, { dtype: 'float32', shape: ['batch', 3] });
  b.output(scores);
  return b.finish();
}

/** Columns, rows, and plain grey, with noise: learned in a few epochs. */
export function toyData(size: number, seed = 5): Dataset {
  const random = createRandom(seed);
  const images = new Float32Array(size * 64);
  const labels = Int32Array.from({ length: size }, (_, i) => i % 3);
  for (let i = 0; i < images.length; i++) {
    const pixel = i % 64;
    const texture = [pixel % 2, (pixel >> 3) % 2, 0.5][labels[i >> 6]!]!;
    images[i] = texture + random.normal() * 0.3;
  }
  const fields = new Map<string, Tensor>([
    ['image', floats(images, [size, 1, 8, 8])],
    ['label', tensor('int32', [size], labels)],
  ]);
  return tensorSet({ name: 'textures', fields });
}

/** Masks that leave the largest weights of each tensor: what a pruner gives, in three lines. */
export function keepLargest(model: Graph, sparsity: number): Masks {
  const weights = parametersOf(trainingForm(model)).filter(({ role }) => role === 'weight');
  return new Map(
    weights.map(({ value, tensor: { data, shape } }): [string, Tensor] => {
      const sizes = Float32Array.from(data as Float32Array, Math.abs); // the toy's weights are float32
      const bound = [...sizes].sort((a, b) => a - b)[Math.floor(sparsity * sizes.length)]!;
      return [
        value,
        floats(
          Float32Array.from(sizes, (size) => (size < bound ? 0 : 1)),
          shape,
        ),
      ];
    }),
  );
}

/** A short run on the toy; everything in it can be replaced. */
export const toyRequest = (executor: Executor, changes: Partial<TrainRequest> = {}): TrainRequest => ({
  model: toyModel(),
  training: toyData(96),
  evaluation: toyData(30, 6),
  loss: crossEntropy({}),
  optimizer: sgd({}),
  schedule: cosine({ from: 0.1, to: 0, end: 30 }),
  ...('phases' in changes || 'steps' in changes ? {} : { epochs: 5 }),
  batch: 16,
  seed: 3,
  executor,
  ...changes,
});
