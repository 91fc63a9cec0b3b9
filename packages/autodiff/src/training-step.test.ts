import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createGraph,
  createNode,
  createRandom,
  EspalierError,
  floats,
  type Graph,
  int,
  type Optimizer,
  scalar,
  type Tensor,
  tensor,
} from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplify } from '@espalier/passes';
import { afterAll, describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { convNet, mobileNet, transformer } from '../../../test/small-nets.js';
import { crossEntropy } from './losses/cross-entropy.js';
import { distillation } from './losses/distillation.js';
import { featureMatching } from './losses/feature-matching.js';
import { meanSquaredError } from './losses/mean-squared-error.js';
import { adam } from './optimizers/adam.js';
import { adamw } from './optimizers/adamw.js';
import { sgd } from './optimizers/sgd.js';
import type { TrainingOptions } from './training-options.js';
import { type TrainingStep, trainingStep } from './training-step.js';
import { withParameters } from './with-parameters.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const random = createRandom(2);
const classes = (count: number, of = 3) =>
  tensor(
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, i) => BigInt(i % of)),
  );

/** Images of which class i is brighter in stripe i and in channel i. */
function striped(count: number, [channels, size]: readonly [number, number]): Tensor {
  const data = Float32Array.from({ length: count * channels * size ** 2 }, (_, i) => {
    const label = Math.floor(i / (channels * size ** 2)) % 3;
    const row = Math.floor(i / size) % size;
    const channel = Math.floor(i / size ** 2) % channels;
    return 0.3 * random.normal() + (Math.floor((row * 3) / size) === label ? 1 : 0) + (channel === label ? 1 : 0);
  });
  return floats(data, [count, channels, size, size]);
}

interface Run {
  readonly losses: readonly number[];
  /** Everything carried, after the last step, by name. */
  readonly carried: ReadonlyMap<string, Tensor>;
}

/** Runs steps on one batch, feeding results back. */
async function run(
  step: TrainingStep,
  feeds: ReadonlyMap<string, Tensor>,
  { steps = 1, rate = 0.05 }: { readonly steps?: number; readonly rate?: number } = {},
): Promise<Run> {
  const session = await executor.open(step.graph);
  const all = [...step.parameters, ...step.state, ...step.statistics];
  const given = new Map(feeds).set(step.learningRate, scalar(rate));
  for (const { input, initial } of all) if (!given.has(input)) given.set(input, initial);
  const losses: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const results = await session.run(given.set(step.step, scalar(i)));
    losses.push(Number(results.get(step.loss)!.data[0]));
    for (const { input, output } of all) given.set(input, results.get(output)!);
  }
  return { losses, carried: new Map(all.map(({ name, input }) => [name, given.get(input)!])) };
}

describe('the loss falls', () => {
  const image = striped(12, [2, 8]);
  const small = striped(12, [4, 6]);
  const tokens = tensor(
    'int64',
    [12, 5],
    BigInt64Array.from({ length: 60 }, (_, i) => BigInt((i % 5) + (Math.floor(i / 5) % 3))),
  );
  const cases: readonly (readonly [string, Graph, Tensor, Optimizer, number])[] = [
    ['convolutions with momentum', convNet(), image, sgd(), 0.05],
    ['convolutions with Nesterov momentum', convNet(), image, sgd({ nesterov: true, weightDecay: 1e-4 }), 0.05],
    ['convolutions whose batch norms are folded', simplify(convNet()), image, sgd(), 0.02],
    ['a small MobileNet with Adam', mobileNet(), small, adam(), 0.03],
    ['a transformer with AdamW', transformer(), tokens, adamw(), 0.01],
    ['a transformer with Adam', transformer(), tokens, adam(), 0.01],
  ];
  test.each(cases)('%s', async (_, net, x, optimizer, rate) => {
    const step = trainingStep(net, { loss: crossEntropy(), optimizer, clipNorm: 5 });
    const { losses } = await run(
      step,
      new Map([
        ['x', x],
        [step.target, classes(12)],
      ]),
      { steps: 30, rate },
    );
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.4);
  });
});

/** y = x w + b, one step of which is checked by hand. */
function line(): Graph {
  return createGraph({
    inputs: ['x'],
    outputs: ['y'],
    opsets: new Map([['', 18]]),
    values: new Map([['x', { dtype: 'float32', shape: ['batch', 2] }]]),
    constants: new Map<string, Tensor>([
      ['w', floats([1, -2], [2, 1])],
      ['b', floats([0.5])],
    ]),
    nodes: [createNode({ id: 'fc', op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'] })],
  });
}

describe('one update by hand', () => {
  // x = [[1, 2]], target 0: y = -2.5, loss 6.25, dy = -5, dw = [-5, -10], db = -5.
  const feeds = (step: TrainingStep, more: readonly (readonly [string, Tensor])[] = []) =>
    new Map<string, Tensor>([['x', floats([1, 2], [1, 2])], [step.target, floats([0], [1, 1])], ...more]);
  const loss = meanSquaredError();
  const update = async (options: Omit<TrainingOptions, 'loss'>, more: readonly (readonly [string, Tensor])[] = []) => {
    const step = trainingStep(line(), { loss, ...options });
    const { losses, carried } = await run(step, feeds(step, more), { rate: 0.1 });
    expect(losses).toEqual([6.25]);
    return (name: string) =>
      [...(carried.get(name)!.data as Float32Array)].map((each) => Math.round(each * 1e5) / 1e5 + 0); // no -0
  };

  test('momentum keeps its velocity', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0.9 }) }, [['w.momentum', floats([1, 1], [2, 1])]]);
    expect(after('w.momentum')).toEqual([-4.1, -9.1]);
    expect(after('w')).toEqual([1.41, -1.09]);
    expect(after('b')).toEqual([1]);
  });
  test('Nesterov momentum looks ahead', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0.9, nesterov: true }) });
    expect(after('w')).toEqual([1.95, -0.1]);
  });
  test('weight decay acts on weights and not on biases', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0, weightDecay: 0.5 }) });
    expect(after('w')).toEqual([1.45, -0.9]);
    expect(after('b')).toEqual([1]);
  });
  test('or on what the caller says', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0, weightDecay: 0.5 }), decays: (name) => name === 'b' });
    expect(after('w')).toEqual([1.5, -1]);
    expect(after('b')).toEqual([0.975]);
  });
  test('parameters decay by factors of their own', async () => {
    const optimizer = sgd({ momentum: 0, weightDecay: 0.5 });
    const [whole, half] = [
      await update({ optimizer, decays: () => 1 }),
      await update({ optimizer, decays: () => 0.5 }),
    ];
    const none = await update({ optimizer, decays: () => 0 });
    const [a, b, c] = [whole('b')[0]!, half('b')[0]!, none('b')[0]!];
    expect(b - c).toBeCloseTo((a - c) / 2, 6);
    expect(Math.abs(a - c)).toBeGreaterThan(1e-3);
    expect(() => sgd({ momentum: 0, nesterov: true })).toThrow(/false without momentum/);
  });
  test('Adam steps by the learning rate at first', async () => {
    const after = await update({ optimizer: adam() });
    expect(after('w')).toEqual([1.1, -1.9]);
    expect(after('w.first')).toEqual([-0.5, -1]);
    expect(after('w.second')).toEqual([0.025, 0.1]);
  });
  test('AdamW decays apart from the moments', async () => {
    const after = await update({ optimizer: adamw({ weightDecay: 0.1 }) });
    expect(after('w')).toEqual([1.09, -1.88]);
    expect(after('b')).toEqual([0.6]);
  });
  test('all gradients are clipped by their common norm', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0 }), clipNorm: 1 }); // norm √(25 + 100 + 25)
    const factor = 0.1 / Math.sqrt(150);
    expect(after('w')).toEqual([1 + 5 * factor, -2 + 10 * factor].map((each) => Math.round(each * 1e5) / 1e5));
  });
  test('a gradient below the limit stays', async () => {
    expect((await update({ optimizer: sgd({ momentum: 0 }), clipNorm: 100 }))('b')).toEqual([1]);
  });
  test('masked weights stay zero', async () => {
    const after = await update({ optimizer: sgd({ momentum: 0 }), masks: ['w'] }, [['w.mask', floats([1, 0], [2, 1])]]);
    expect(after('w')).toEqual([1.5, 0]);
  });
  test('frozen parameters are no inputs', () => {
    const step = trainingStep(line(), { loss, optimizer: sgd(), trainable: (name) => name === 'b' });
    expect(step.parameters.map(({ name }) => name)).toEqual(['b']);
    expect(step.graph.inputs).toEqual(['x', 'target', 'learning_rate', 'step', 'b', 'b.momentum']);
  });
});

describe('losses', () => {
  const logits = floats([2, -1, 0.5, 0, 3, -2], [2, 3]);
  const target = tensor('int64', [2], BigInt64Array.from([0n, 2n]));
  /** A net whose output is its input plus a parameter of zeros. */
  const net = (): Graph =>
    createGraph({
      inputs: ['x'],
      outputs: ['y'],
      opsets: new Map([['', 18]]),
      values: new Map([['x', { dtype: 'float32', shape: ['batch', 3] }]]),
      constants: new Map<string, Tensor>([['w', floats([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3])]]),
      nodes: [createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] })],
    });
  const rows = [
    [2, -1, 0.5],
    [0, 3, -2],
  ];
  const logSoftmax = (row: readonly number[], t = 1) => {
    const total = Math.log(row.reduce((sum, each) => sum + Math.exp(each / t), 0));
    return row.map((each) => each / t - total);
  };
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const hard = mean([-logSoftmax(rows[0]!)[0]!, -logSoftmax(rows[1]!)[2]!]);
  const lossOf = async (
    options: Pick<TrainingOptions, 'loss'>,
    more: readonly (readonly [string, Tensor])[] = [],
    x = logits,
  ) => {
    const step = trainingStep(net(), { optimizer: sgd(), ...options });
    return (await run(step, new Map([['x', x], [step.target, target], ...more]))).losses[0]!;
  };

  test('cross-entropy is the mean of -log p', async () => {
    expect(await lossOf({ loss: crossEntropy() })).toBeCloseTo(hard, 5);
  });
  test('label smoothing spreads a share over all classes', async () => {
    const smooth = mean(rows.map((row) => -mean(logSoftmax(row))));
    expect(await lossOf({ loss: crossEntropy({ labelSmoothing: 0.2 }) })).toBeCloseTo(0.8 * hard + 0.2 * smooth, 5);
  });
  test('huge logits do not overflow', async () => {
    const huge = floats([1000, -1000, 0, 0, 1e4, -1e4], [2, 3]);
    expect(await lossOf({ loss: crossEntropy() }, [], huge)).toBeCloseTo(10000, 2);
  });
  test('distillation mixes the divergence from a teacher with cross-entropy', async () => {
    const teacher = floats([1, 1, 0, -1, 2, 0], [2, 3]);
    const teachers = [
      [1, 1, 0],
      [-1, 2, 0],
    ];
    const t = 3;
    const kl = mean(
      rows.map((row, i) => {
        const [wanted, found] = [logSoftmax(teachers[i]!, t), logSoftmax(row, t)];
        return wanted.reduce((sum, log, c) => sum + Math.exp(log) * (log - found[c]!), 0);
      }),
    );
    const loss = distillation({ temperature: t, weight: 0.7 });
    expect(await lossOf({ loss }, [['teacher', teacher]])).toBeCloseTo(0.7 * t * t * kl + 0.3 * hard, 5);
    expect(await lossOf({ loss }, [['teacher', logits]])).toBeCloseTo(0.3 * hard, 5);
  });
  test('feature matching draws inner values to those of a teacher', async () => {
    const loss = featureMatching({ loss: crossEntropy(), values: ['y'], weight: 2 });
    const zero = floats(new Float32Array(6), [2, 3]);
    const squares = mean(rows.flat().map((each) => each * each));
    expect(await lossOf({ loss }, [['y.teacher', zero]])).toBeCloseTo(hard + 2 * squares, 4);
    const other = featureMatching({ loss: distillation(), values: ['y=output_of_it'] });
    expect([...other.teacher!]).toEqual([
      ['teacher', 'output'],
      ['y.teacher', { value: 'output_of_it' }],
    ]);
    for (const values of [[], ['=x'], ['a=b=c'], ['a', 'a=b']]) {
      expect(() => featureMatching({ loss: crossEntropy(), values })).toThrow(/feature-matching.values/);
    }
    expect(() =>
      trainingStep(net(), { loss: featureMatching({ loss: crossEntropy(), values: ['z'] }), optimizer: sgd() }),
    ).toThrow(expect.objectContaining({ code: 'AUTODIFF_LOSS' }));
  });
});

describe('running statistics', () => {
  test('move towards the batch, the variance unbiased', async () => {
    const net = createGraph({
      inputs: ['x'],
      outputs: ['y'],
      opsets: new Map([['', 17]]),
      values: new Map([['x', { dtype: 'float32', shape: ['batch', 1, 2] }]]),
      constants: new Map<string, Tensor>([
        ['one', floats([1])],
        ['zero', floats([0])],
      ]),
      nodes: [
        createNode({ id: 'bn', op: 'BatchNormalization', inputs: ['x', 'one', 'zero', 'zero', 'one'], outputs: ['y'] }),
      ],
    });
    const step = trainingStep(net, { loss: meanSquaredError(), optimizer: sgd() });
    // Shared constants are taken apart: scale and variance are one tensor here, shift and mean another.
    expect(step.statistics.map(({ name }) => name)).toEqual(['bn_running_mean', 'bn_running_variance']);
    const x = floats([1, 2, 3, 6], [2, 1, 2]); // mean 3, biased variance 3.5, unbiased 14/3
    const { carried } = await run(
      step,
      new Map([
        ['x', x],
        [step.target, floats([0, 0, 0, 0], [2, 1, 2])],
      ]),
    );
    expect(carried.get('bn_running_mean')!.data[0]).toBeCloseTo(0.3, 5);
    expect(carried.get('bn_running_variance')!.data[0]).toBeCloseTo(0.9 + 0.1 * (14 / 3), 5);
    const trained = withParameters(net, new Map([...carried].filter(([name]) => name.startsWith('bn_'))));
    expect(trained.constants.get('bn_running_mean')!.data[0]).toBeCloseTo(0.3, 5);
    const node = trained.nodes[0]!;
    expect(node.inputs).toEqual(['x', 'one', 'zero', 'bn_running_mean', 'bn_running_variance']);
  });
});

describe('the trained graph', () => {
  test('runs for inference with what was learned', async () => {
    const net = convNet();
    const step = trainingStep(net, { loss: crossEntropy(), optimizer: sgd(), bnMomentum: 1 });
    const x = striped(12, [2, 8]);
    const { carried } = await run(
      step,
      new Map([
        ['x', x],
        [step.target, classes(12)],
      ]),
      { steps: 40 },
    );
    const learned = [...step.parameters, ...step.statistics].map(({ name }) => [name, carried.get(name)!] as const);
    const session = await executor.open(withParameters(net, new Map(learned)));
    const y = (await session.run(new Map([['x', x]]))).get('y')!.data as Float32Array;
    const right = Array.from({ length: 12 }, (_, i) => {
      const row = [...y.subarray(3 * i, 3 * i + 3)];
      return row.indexOf(Math.max(...row)) === i % 3;
    });
    expect(right.filter(Boolean)).toHaveLength(12);
  });

  test('takes values that it computes from constants, and no others', () => {
    const net = createGraph({
      inputs: ['x'],
      outputs: ['y'],
      values: new Map([['x', { dtype: 'float32', shape: ['batch', 2] }]]),
      constants: new Map<string, Tensor>([['w', floats([1, 2, 3, 4, 5, 6], [2, 3])]]),
      nodes: [
        createNode({ id: 't', op: 'Tanh', inputs: ['w'], outputs: ['wt'] }),
        createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'wt'], outputs: ['y'] }),
      ],
    });
    const step = trainingStep(net, { loss: meanSquaredError(), optimizer: sgd() });
    expect(step.parameters.map(({ name }) => name)).toEqual(['wt']);
    const trained = withParameters(net, new Map([['wt', step.parameters[0]!.initial]]));
    expect([...trained.constants.keys()]).toEqual(['wt']);
    expect(trained.nodes).toHaveLength(1);
    for (const [name, value] of [
      ['y', floats([1])],
      ['nothing', floats([1])],
      ['w', floats([1])],
    ] as const) {
      expect(() => withParameters(net, new Map([[name, value]]))).toThrow(
        expect.objectContaining({ code: 'AUTODIFF_PARAMETER' }),
      );
    }
  });
});

test('a fake-quantizer learns its scale, which stays positive', async () => {
  const net = line();
  const quantized: Graph = {
    ...net,
    opsets: new Map([
      ['', 18],
      ['espalier', 1],
    ]),
    constants: new Map<string, Tensor>([...net.constants, ['s', floats([0.3], [])]]),
    nodes: [
      createNode({
        id: 'fq',
        op: 'espalier::FakeQuantize',
        inputs: ['w', 's'],
        outputs: ['wq'],
        attributes: { bits: int(4) },
      }),
      createNode({ id: 'fc', op: 'Gemm', inputs: ['x', 'wq', 'b'], outputs: ['y'] }),
    ],
  };
  const step = trainingStep(quantized, { loss: meanSquaredError(), optimizer: sgd({ momentum: 0 }) });
  // wq = [0.9, -2.1], y = -2.8, dwq = -5.6 [1, 2]; ds = Σ dwq (round(v) - v) s/‖w‖, v = [3.33, -6.67]: less than 1/√(2·7).
  const feeds = new Map<string, Tensor>([
    ['x', floats([1, 2], [1, 2])],
    [step.target, floats([0], [1, 1])],
  ]);
  const { carried } = await run(step, feeds, { rate: 0.1 });
  const slope = -5.6 * (3 - 1 / 0.3) - 11.2 * (-7 + 2 / 0.3);
  expect(carried.get('s')!.data[0]).toBeCloseTo(0.3 - (0.1 * slope * 0.3) / Math.sqrt(5), 5);
  expect(carried.get('w')!.data[0]).toBeCloseTo(1.56, 5);
  const { carried: far } = await run(step, feeds, { rate: 1000 });
  expect(Number(far.get('s')!.data[0])).toBeGreaterThan(0);
});

test('what cannot be trained is said', () => {
  const refusal = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      if (error instanceof EspalierError) return `${error.code} ${error.message}`;
      throw error;
    }
    return 'nothing was refused';
  };
  const base = line();
  const options = { loss: meanSquaredError(), optimizer: sgd() };
  const half: Graph = {
    ...base,
    values: new Map([['x', { dtype: 'float16', shape: ['batch', 2] }]]),
    constants: new Map<string, Tensor>([
      ['w', tensor('float16', [2, 1], new Uint16Array(2))],
      ['b', tensor('float16', [1], new Uint16Array(1))],
    ]),
  };
  const lstm = createGraph({
    inputs: ['x'],
    outputs: ['y'],
    values: new Map([['x', { dtype: 'float32', shape: [5, 'batch', 2] }]]),
    constants: new Map<string, Tensor>([
      ['w', floats(new Float32Array(4), [2, 2])],
      ['lw', floats(new Float32Array(24), [1, 12, 2])],
      ['lr', floats(new Float32Array(36), [1, 12, 3])],
    ]),
    nodes: [
      createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'w'], outputs: ['m'] }),
      createNode({
        id: 'l',
        op: 'LSTM',
        inputs: ['m', 'lw', 'lr'],
        outputs: ['y'],
        attributes: { hidden_size: int(3) },
      }),
    ],
  });
  expect(refusal(() => trainingStep(half, options))).toMatchInlineSnapshot(
    `"AUTODIFF_DTYPE parameter "w": expected float32, found float16. Train the float32 model and convert or quantize it afterwards."`,
  );
  expect(refusal(() => trainingStep(lstm, options))).toMatchInlineSnapshot(
    `"AUTODIFF_OP node "l" (LSTM): expected an op with a derivative between the loss and the parameters, found a recurrent layer, whose training form is not available. Freeze the parameters in front of this node, or replace the op."`,
  );
  expect(refusal(() => trainingStep(base, { ...options, trainable: () => false }))).toMatchInlineSnapshot(
    `"AUTODIFF_PARAMETER graph "graph": expected at least one trainable parameter, found 2, none of them chosen. Let \`trainable\` accept some of the names of parametersOf."`,
  );
  expect(
    refusal(() => trainingStep({ ...base, constants: new Map(), inputs: ['x', 'w', 'b'] }, options)),
  ).toMatchInlineSnapshot(
    `"AUTODIFF_PARAMETER graph "graph": expected at least one trainable parameter, found no float constants that a layer multiplies by or adds. A quantized model is trained before it is quantized."`,
  );
  expect(refusal(() => trainingStep(base, { ...options, masks: ['v'] }))).toMatchInlineSnapshot(
    `"AUTODIFF_PARAMETER mask "v": expected the name of a trained parameter, found "v". Did you mean "w"?"`,
  );
  expect(refusal(() => trainingStep(base, { ...options, clipNorm: 0 }))).toMatchInlineSnapshot(
    `"OPTION_INVALID training step, option "clipNorm": expected a finite number above 0, found 0."`,
  );
  expect(refusal(() => trainingStep(base, { ...options, bnMomentum: Number.NaN }))).toMatchInlineSnapshot(
    `"OPTION_INVALID training step, option "bnMomentum": expected a number from 0 to 1, found NaN."`,
  );
  expect(refusal(() => trainingStep(base, { ...options, output: 'z' }))).toMatchInlineSnapshot(
    `"AUTODIFF_LOSS graph "graph": expected one of its outputs y, found "z". Did you mean "y"?"`,
  );
});

const folder = modelsFolder();
describe.skipIf(!folder)('ResNet-20 (skipped where there is no models folder)', () => {
  const graph = folder ? decodeOnnx(readFileSync(join(folder, 'resnet20-cifar10.onnx'))) : line();
  const x = floats(
    Float32Array.from({ length: 8 * 3072 }, () => random.normal()),
    [8, 3, 32, 32],
  );

  test('one step is the momentum update of gradients that agree with finite differences', async () => {
    const step = trainingStep(graph, {
      loss: crossEntropy({ labelSmoothing: 0.1 }),
      optimizer: sgd({ momentum: 0.9 }),
    });
    expect(step.parameters.reduce((sum, { initial }) => sum + initial.data.length, 0)).toBe(269_722);
    expect(step.statistics).toHaveLength(38);
    const feeds = new Map<string, Tensor>([
      [graph.inputs[0]!, x],
      [step.target, classes(8, 10)],
    ]);
    const { carried } = await run(step, feeds, { rate: 0.1 });
    /** The loss with one parameter moved by `by` along its gradient's direction. */
    const lossAlong = async (name: string, { norm, by }: { norm: number; by: number }) => {
      const gradient = carried.get(`${name}.momentum`)!.data as Float32Array;
      const { data, shape } = step.parameters.find((each) => each.name === name)!.initial;
      const moved = Float32Array.from(data as Float32Array, (w, i) => w + (by * gradient[i]!) / norm);
      return (await run(step, new Map(feeds).set(name, floats(moved, shape)))).losses[0]!;
    };
    for (const { name, initial } of step.parameters.filter((_, i) => i % 5 === 0)) {
      const gradient = carried.get(`${name}.momentum`)!.data as Float32Array;
      for (const i of [0, gradient.length >> 1, gradient.length - 1]) {
        expect(carried.get(name)!.data[i]).toBeCloseTo(Number(initial.data[i]) - 0.1 * gradient[i]!, 5);
      }
      // Along the gradient the slope is its norm; a single weight's drowns in float32 and in the kinks of ReLU.
      const norm = Math.sqrt(gradient.reduce((sum, each) => sum + each * each, 0));
      const by = 1e-3;
      const slope = ((await lossAlong(name, { norm, by })) - (await lossAlong(name, { norm, by: -by }))) / (2 * by);
      expect(Math.abs(slope / norm - 1), name).toBeLessThan(1e-2);
    }
  });
});
