import { createRandom, floats, type Graph, longs, scalar, type Tensor, tensor, type ValueId } from '@espalier/core';
import { describe, expect, test } from 'vitest';
import { evaluateGraph } from '../../../test/float64/evaluate-graph.js';
import { convNet, mobileNet, transformer } from '../../../test/small-nets.js';
import { gradients } from './gradients.js';
import { hessianVectorDifference } from './hessian-vector-difference.js';
import { hessianVectorProduct } from './hessian-vector-product.js';
import { crossEntropy } from './losses/cross-entropy.js';
import { sgd } from './optimizers/sgd.js';
import { parametersOf } from './parameters-of.js';
import { setStage } from './set-stage.js';
import { trainingForm, trainingFormOf } from './training-form.js';

const random = createRandom(11);
const batch = 4;
const images = (channels: number, size: number) => {
  const shape = [batch, channels, size, size];
  return floats(
    Float32Array.from({ length: batch * channels * size ** 2 }, () => random.normal()),
    shape,
  );
};
const nets: readonly (readonly [string, Graph, Tensor])[] = [
  ['convolution, batch norm, pooling, softmax', convNet(), images(2, 8)],
  ['depthwise, HardSwish, squeeze-and-excitation', mobileNet(), images(4, 6)],
  [
    'a transformer block',
    transformer(),
    longs(
      Array.from({ length: batch * 5 }, () => random.below(7)),
      [batch, 5],
    ),
  ],
];

/** The loss of a net in training form, its parameters being inputs, with everything to feed. */
function lossOf(net: Graph, x: Tensor) {
  const form = trainingFormOf(net);
  const parameters = parametersOf(form.graph);
  const stage = setStage(form, {
    parameters,
    options: { loss: crossEntropy({ labelSmoothing: 0.1 }), optimizer: sgd() },
  });
  const feeds = new Map<string, Tensor>([
    ['x', x],
    [
      stage.target,
      tensor(
        'int64',
        [batch],
        BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 3)),
      ),
    ],
    [stage.learningRate, scalar(0)],
    [stage.step, scalar(1)],
  ]);
  for (const { value, tensor: initial } of parameters) feeds.set(value, initial);
  return { graph: stage.graph, loss: stage.loss, names: parameters.map(({ value }) => value), feeds };
}

const numberAt = (values: ReadonlyMap<string, Tensor>, name: ValueId): number => Number(values.get(name)!.data[0]);

function moved(feeds: ReadonlyMap<string, Tensor>, name: string, { i, by }: { i: number; by: number }) {
  const data = Float64Array.from(feeds.get(name)!.data as Float32Array); // parameters are float32
  data[i]! += by;
  return new Map(feeds).set(name, tensor('float64', feeds.get(name)!.shape, data));
}

describe.each(nets)('%s', (_, net, x) => {
  test('has gradients that agree with finite differences', () => {
    const { graph, loss, names, feeds } = lossOf(net, x);
    const found = gradients(graph, loss, names);
    const values = evaluateGraph(found.graph, feeds);
    let worst = 0;
    for (const name of names) {
      const gradient = values.get(found.gradients.get(name)!)!.data as Float64Array;
      const largest = Math.max(1e-4, ...gradient.map(Math.abs));
      for (let sample = 0; sample < 3; sample++) {
        const i = random.below(gradient.length);
        const at = (by: number) => numberAt(evaluateGraph(graph, moved(feeds, name, { i, by })), loss);
        worst = Math.max(worst, Math.abs((at(1e-5) - at(-1e-5)) / 2e-5 - gradient[i]!) / largest);
      }
    }
    expect(worst).toBeLessThan(1e-5);
  });

  test('has Hessian-vector products that agree with differences of gradients', async () => {
    const { graph, loss, names, feeds } = lossOf(net, x);
    const product = hessianVectorProduct(graph, loss, names);
    const vectors = new Map(
      names.map((name): [string, Tensor] => {
        const { shape, data } = feeds.get(name)!;
        return [
          name,
          floats(
            Float32Array.from({ length: data.length }, () => random.normal()),
            shape,
          ),
        ];
      }),
    );
    const all = new Map(feeds);
    for (const [name, vector] of vectors) all.set(product.vectors.get(name)!, vector);
    const values = evaluateGraph(product.graph, all);
    const first = gradients(graph, loss, names);
    const step = 1e-5;
    const at = (by: number) => {
      const shifted = new Map(feeds);
      for (const [name, vector] of vectors) {
        const data = Float64Array.from(
          feeds.get(name)!.data as Float32Array,
          (w, i) => w + by * Number(vector.data[i]),
        );
        shifted.set(name, tensor('float64', vector.shape, data));
      }
      return evaluateGraph(first.graph, shifted);
    };
    const [ahead, behind] = [at(step), at(-step)];
    let [error, size] = [0, 0];
    for (const name of names) {
      const exact = values.get(product.products.get(name)!)!.data;
      const gradient = first.gradients.get(name)!;
      for (let i = 0; i < exact.length; i++) {
        const wanted = (Number(ahead.get(gradient)!.data[i]) - Number(behind.get(gradient)!.data[i])) / (2 * step);
        size = Math.max(size, Math.abs(wanted));
        error = Math.max(error, Math.abs(wanted - Number(exact[i])));
      }
    }
    expect(error / size).toBeLessThan(1e-5);
  });
});

test('central differences of gradients are Hessian-vector products', async () => {
  // L = Σ w³: the Hessian is diag(6 w).
  const gradientAt = async (weights: ReadonlyMap<string, Tensor>) =>
    new Map(
      [...weights].map(([name, { data, shape }]) => [
        name,
        floats(
          (data as Float32Array).map((w) => 3 * w * w),
          shape,
        ),
      ]),
    );
  const weights = new Map([['w', floats([1, 2])]]);
  const found = await hessianVectorDifference(gradientAt, weights, new Map([['w', floats([1, 1])]]));
  expect(found.get('w')!.data[0]).toBeCloseTo(6, 1);
  expect(found.get('w')!.data[1]).toBeCloseTo(12, 1);
  const still = await hessianVectorDifference(gradientAt, weights, new Map([['w', floats([0, 0])]]));
  expect([...(still.get('w')!.data as Float32Array)]).toEqual([0, 0]);
});

test('the training form is in opset 18 and keeps the function but for the statistics', () => {
  const form = trainingForm(convNet());
  expect(form.opsets.get('')).toBe(18);
  expect(form.nodes.map(({ op }) => op)).toContain('espalier::BatchNormTraining');
  expect(form.nodes.map(({ op }) => op)).not.toContain('BatchNormalization');
  expect(form.values.get('y')?.shape).toEqual(['batch', 3]);
});
