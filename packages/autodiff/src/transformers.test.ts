import {
  createRandom,
  type Dataset,
  type Executor,
  floats,
  type Graph,
  type Loss,
  longs,
  scalar,
  sizeOf,
  type Tensor,
  tensor,
} from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { setInputShapes } from '@espalier/ops';
import { createTensorCore } from '@espalier/tensor';
import { train } from '@espalier/training';
import { bertTiny, decoderTiny, vitTiny } from '@espalier/zoo';
import { afterAll, describe, expect, test } from 'vitest';
import { crossEntropy } from './losses/cross-entropy.js';
import { adam } from './optimizers/adam.js';
import { sgd } from './optimizers/sgd.js';
import { trainingStep } from './training-step.js';

const executors: readonly (readonly [string, Executor])[] = [
  ['onnxruntime', createOnnxRuntime({ backend: 'node', threads: 1 })],
  ['wasm', createTensorCore()],
];
afterAll(async () => {
  for (const [, executor] of executors) await executor.close();
});

const random = createRandom(8);
const [samples, sequence, vocabulary] = [24, 6, 12];
const integers = (shape: readonly number[], at: (i: number) => number): Tensor =>
  tensor(
    'int64',
    shape,
    BigInt64Array.from({ length: sizeOf(shape) }, (_, i) => BigInt(at(i))),
  );
const label = integers([samples], (i) => i % 3);

/** Images of which class i is brighter in stripe i. */
const images = floats(
  Float32Array.from({ length: samples * 3 * 64 }, (_, i) => {
    const stripe = Math.floor(((Math.floor(i / 8) % 8) * 3) / 8);
    return 0.3 * random.normal() + Number(stripe === Math.floor(i / 192) % 3);
  }),
  [samples, 3, 8, 8],
);
/** Tokens, one of which tells the class. */
const words = integers([samples, sequence], (i) =>
  i % sequence === 2 ? Math.floor(i / sequence) % 3 : 3 + random.below(vocabulary - 3),
);
/** Tokens that count up by one, from anywhere. */
const counting = integers([samples, sequence], (i) => (Math.floor(i / sequence) * 5 + (i % sequence)) % vocabulary);
const following = integers(
  [samples, sequence],
  (i) => (Math.floor(i / sequence) * 5 + (i % sequence) + 1) % vocabulary,
);

/** The cross-entropy of the next token at every place: logits [N, T, C] against tokens [N, T]. */
const nextToken: Loss = {
  target: ({ output }) => ({ dtype: 'int64', shape: output.shape!.slice(0, 2) }),
  build(b, { output, target }) {
    const rows = b.add('Reshape', [output, b.constant('rows', longs([-1, vocabulary]))]);
    const flat = b.add('Reshape', [target, b.constant('flat', longs([-1]))]);
    return crossEntropy({}).build(b, { output: rows, target: flat });
  },
};

interface Case {
  readonly model: Graph;
  readonly data: ReadonlyMap<string, Tensor>;
  readonly loss: Loss;
}

const size = { depth: 2, width: 16, heads: 2 };
const cases: Readonly<Record<string, Case>> = {
  'a vision transformer': {
    model: vitTiny({ ...size, classes: 3, size: 8, patch: 4 }),
    data: new Map([
      ['input', images],
      ['label', label],
    ]),
    loss: crossEntropy({}),
  },
  'an encoder': {
    model: bertTiny({ ...size, classes: 3, vocabulary, sequence, positions: 8 }),
    data: new Map([
      ['input_ids', words],
      ['token_type_ids', integers([samples, sequence], (i) => Number(i % sequence > 3))],
      ['attention_mask', integers([samples, sequence], (i) => Number(i % sequence < 5))],
      ['label', label],
    ]),
    loss: crossEntropy({}),
  },
  'a decoder': {
    model: decoderTiny({ ...size, vocabulary, sequence }),
    data: new Map([
      ['input_ids', counting],
      ['next', following],
    ]),
    loss: nextToken,
  },
};

describe.each(Object.entries(cases))('%s', (name, { model, data, loss }) => {
  const target = data.has('next') ? 'next' : 'label';

  /** The gradients of all parameters on the first batch: what momentum holds after one step. */
  async function gradientsOn(executor: Executor): Promise<ReadonlyMap<string, Float32Array>> {
    const shapes = model.inputs.map((input) => [input, data.get(input)!.shape] as const);
    const step = trainingStep(setInputShapes(model, new Map(shapes)), { loss, optimizer: sgd({ momentum: 0.9 }) });
    const feeds = new Map(data);
    feeds.delete(target);
    feeds.set(step.target, data.get(target)!).set(step.learningRate, scalar(0)).set(step.step, scalar(1));
    for (const { input, initial } of [...step.parameters, ...step.state]) feeds.set(input, initial);
    const session = await executor.open(step.graph);
    const results = await session.run(feeds);
    await session.close();
    return new Map(step.state.map((each) => [each.name, results.get(each.output)!.data as Float32Array])); // float32
  }

  test('has the same gradients on both executors', async () => {
    const [ours, theirs] = [await gradientsOn(executors[0]![1]), await gradientsOn(executors[1]![1])];
    expect(ours.size).toBeGreaterThan(20);
    const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, each) => sum + each * each, 0));
    const whole = Math.sqrt([...ours.values()].reduce((sum, values) => sum + norm(values) ** 2, 0));
    for (const [parameter, gradient] of ours) {
      const difference = norm(gradient.map((each, i) => each - theirs.get(parameter)![i]!));
      // Gradients that are zero but for rounding (the bias of keys) are measured by the whole.
      expect(difference / Math.max(norm(gradient), 1e-4 * whole), parameter).toBeLessThan(1e-3);
    }
  });

  test.each(executors)('learns on %s', async (_, executor) => {
    const training: Dataset = tensorSet({ name, fields: data });
    const trained = await train({
      model,
      training,
      loss,
      optimizer: adam({}),
      schedule: () => 0.01,
      epochs: 10,
      batch: 8,
      seed: 2,
      executor,
      target,
    });
    const losses = trained.history.map((epoch) => epoch.loss);
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!);
    expect(trained.graph.nodes).toEqual(model.nodes);
    const moved = [...model.constants].filter(([value, before]) => trained.graph.constants.get(value) !== before);
    expect(moved.map(([value]) => value)).toEqual(
      expect.arrayContaining(
        [...model.constants.keys()].filter((value) => /weight$|bias$|class_token|pos_embedding/.test(value)),
      ),
    );
  });
});
