import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossEntropy, sgd, type TrainingStep, trainingStep } from '@espalier/autodiff';
import {
  type Attribute,
  createGraph,
  createNode,
  createRandom,
  float,
  floats,
  type Graph,
  int,
  ints,
  scalar,
  sizeOf,
  type Tensor,
  tensor,
  text,
} from '@espalier/core';
import { decodeOnnx, encodeOnnx } from '@espalier/onnx';
import { inferShapes, setInputShapes } from '@espalier/ops';
import { lowerCustomOps } from '@espalier/passes';
import { lenet5, mobilenetV2, resnet20 } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { largestDifference } from '../../../../test/run-onnx.js';
import { createOnnxRuntime } from '../create-onnx-runtime.js';
import { prepareGraph } from '../prepare-graph.js';
import { loadRuntime } from '../runtime.js';
import { blockSize } from './block-size.js';
import { fastTraining } from './fast-training.js';

const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
afterAll(() => executor.close());
const runtime = await loadRuntime([{ package: 'onnxruntime-node', load: () => import('onnxruntime-node') }]);
const block = await blockSize(runtime);
const noBlocks = block === 0; // this processor or build has no blocked convolutions, so there is nothing to compare

const random = createRandom(5);
const normal = (shape: readonly number[]): Tensor =>
  floats(Float32Array.from({ length: sizeOf(shape) }, random.normal), shape);

it('finds the block size of this machine once', async () => {
  expect([0, 8, 16]).toContain(block);
  expect(await blockSize({ ...runtime })).toBe(block);
});

interface Case {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  /** Named batch. */
  readonly named?: boolean;
}

/** A training graph of one op of interest; a weight gradient beside it makes it one that trains. */
function graphOf({ op, inputs, attributes = {}, outputs = 1, named = false }: Case): Graph {
  const names = inputs.map((_, i) => `x${i}`);
  const out = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const trains = createNode({
    id: 'trains',
    op: 'espalier::ConvWeightGradient',
    inputs: ['a', 'a'],
    outputs: ['b'],
    attributes: { kernel_shape: ints([1, 1]) },
  });
  return inferShapes(
    createGraph({
      inputs: [...names, 'a'],
      outputs: [...out, 'b'],
      nodes: [createNode({ id: 'op', op, inputs: names, outputs: out, attributes }), trains],
      values: new Map([
        ...inputs.map(({ dtype, shape }, i) => {
          const batch = named && shape.length === 4 && !(op.endsWith('Gradient') && op.includes('Input') && i === 1);
          return [`x${i}`, { dtype, shape: batch ? ['N', ...shape.slice(1)] : shape }] as const;
        }),
        ['a', { dtype: 'float32', shape: [1, 1, 1, 1] }] as const,
      ]),
      opsets: new Map([
        ['', 18],
        ['espalier', 1],
      ]),
    }),
  );
}

async function compare(each: Case): Promise<{ readonly error: number; readonly ops: readonly string[] }> {
  const graph = graphOf(each);
  const feeds = new Map<string, Tensor>(each.inputs.map((input, i) => [`x${i}`, input])).set(
    'a',
    floats([2], [1, 1, 1, 1]),
  );
  const fast = await executor.open(graph);
  const plain = await executor.open(lowerCustomOps(graph));
  const error = largestDifference(await plain.run(feeds), await fast.run(feeds));
  return { error, ops: fastTraining(graph, block).nodes.map(({ op }) => op) };
}

interface Layer {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
}

const layers: readonly (readonly [string, Layer])[] = [
  ['3x3', { x: [2, 16, 9, 7], w: [32, 16, 3, 3], pads: [1, 1, 1, 1] }],
  ['3x3 without pads', { x: [2, 16, 6, 5], w: [16, 16, 3, 3] }],
  ['stride 2', { x: [3, 32, 8, 8], w: [16, 32, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }],
  ['stride 2 without a rest', { x: [3, 16, 9, 7], w: [16, 16, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }],
  ['uneven strides and pads', { x: [2, 16, 8, 9], w: [32, 16, 3, 2], pads: [2, 0, 0, 1], strides: [1, 2] }],
  ['dilation', { x: [2, 16, 10, 11], w: [16, 16, 3, 3], pads: [2, 1, 2, 3], dilations: [2, 3] }],
  [
    'dilation and stride',
    { x: [2, 16, 11, 11], w: [16, 16, 3, 3], pads: [2, 2, 2, 2], dilations: [2, 2], strides: [2, 2] },
  ],
  ['1x1', { x: [2, 32, 5, 6], w: [48, 32, 1, 1] }],
  ['1x1 with stride 2', { x: [2, 32, 8, 7], w: [16, 32, 1, 1], strides: [2, 2] }],
  ['1x1 with pads', { x: [2, 16, 4, 4], w: [16, 16, 1, 1], pads: [1, 0, 1, 2] }],
  ['few channels', { x: [2, 3, 8, 8], w: [16, 3, 3, 3], pads: [1, 1, 1, 1] }],
  ['few channels, stride 2', { x: [2, 3, 9, 8], w: [16, 3, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }],
  ['depthwise', { x: [2, 32, 7, 8], w: [32, 1, 3, 3], pads: [1, 1, 1, 1], group: 32 }],
  ['depthwise, stride 2', { x: [2, 16, 8, 8], w: [16, 1, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 16 }],
  ['channels that fill no block', { x: [2, 10, 6, 6], w: [20, 10, 3, 3], pads: [1, 1, 1, 1] }],
  ['channels beyond a block', { x: [2, 18, 6, 5], w: [21, 18, 3, 3], pads: [1, 1, 1, 1] }],
  ['odd channels, stride 2', { x: [2, 23, 7, 8], w: [9, 23, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }],
  ['odd channels, 1x1 with stride 2', { x: [3, 20, 8, 8], w: [40, 20, 1, 1], strides: [2, 2] }],
  ['few channels to odd ones', { x: [2, 3, 8, 8], w: [5, 3, 3, 3], pads: [1, 1, 1, 1] }],
  ['too few channels', { x: [2, 2, 6, 6], w: [2, 2, 3, 3], pads: [1, 1, 1, 1] }],
  ['depthwise, odd channels', { x: [2, 27, 7, 8], w: [27, 1, 3, 3], pads: [1, 1, 1, 1], group: 27 }],
  [
    'depthwise, odd channels, stride 2',
    { x: [2, 13, 8, 8], w: [13, 1, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 13 },
  ],
  ['groups', { x: [2, 32, 6, 6], w: [32, 16, 3, 3], pads: [1, 1, 1, 1], group: 2 }],
];

describe.skipIf(noBlocks).each(layers)('a convolution, %s, is the same in blocked form:', (_, layer) => {
  const { w, strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], group = 1, x } = layer;
  const attributes = {
    kernel_shape: ints(w.slice(2)),
    strides: ints(strides),
    pads: ints(pads),
    dilations: ints(dilations),
    group: int(group),
  };
  const places = [0, 1].map((axis) => {
    const reach = (w[axis + 2]! - 1) * dilations[axis]! + 1;
    return Math.floor((x[axis + 2]! + pads[axis]! + pads[axis + 2]! - reach) / strides[axis]!) + 1;
  });
  it.each([
    [x[0]!, false],
    [x[0]!, true],
    [32, false],
  ])('forward and both gradients, batch %i, named %s', async (batch, named) => {
    const sizes = [batch, ...x.slice(1)];
    const dy = [batch, w[0]!, ...places];
    const input = { ...attributes, input_shape: ints(x.slice(2)) };
    const cases: readonly Case[] = [
      { op: 'Conv', inputs: [normal(sizes), normal(w), normal([w[0]!])], attributes, named },
      { op: 'espalier::ConvInputGradient', inputs: [normal(dy), normal(w)], attributes: input, named },
      { op: 'espalier::ConvWeightGradient', inputs: [normal(sizes), normal(dy)], attributes, named },
    ];
    for (const each of cases) expect((await compare(each)).error).toBeLessThan(1e-4);
  });
});

describe.skipIf(noBlocks)('batch norms', () => {
  it.each([
    [32, false],
    [32, true],
    [21, false],
    [9, true],
  ])('of %i channels are the same in blocked form, named batch %s', async (channels, named) => {
    const [x, scale, bias] = [normal([3, channels, 5, 4]), normal([channels]), normal([channels])];
    const attributes = { epsilon: float(1e-3) };
    const forward = await compare({
      op: 'espalier::BatchNormTraining',
      inputs: [x, scale, bias],
      attributes,
      outputs: 3,
      named,
    });
    expect(forward.error).toBeLessThan(1e-4);
    expect(forward.ops).toContain('com.microsoft.nchwc::Conv');
    const mean = floats(new Float32Array(channels).fill(0.1));
    const variance = floats(new Float32Array(channels).fill(0.9));
    const inputs = [x, scale, mean, variance, normal([3, channels, 5, 4])];
    const backward = await compare({ op: 'espalier::BatchNormGradient', inputs, attributes, outputs: 3, named });
    expect(backward.error).toBeLessThan(1e-4);
    expect(backward.ops).toContain('com.microsoft.nchwc::Conv');
  });

  it('keep their digits where the mean is a thousand deviations', async () => {
    const x = floats(
      (normal([8, 16, 6, 6]).data as Float32Array).map((value) => value + 1000),
      [8, 16, 6, 6],
    );
    const inputs = [x, normal([16]), normal([16])];
    expect((await compare({ op: 'espalier::BatchNormTraining', inputs, outputs: 3 })).error).toBeLessThan(1e-3);
  });
});

describe.skipIf(noBlocks)('comparisons with a number', () => {
  /** The bound and the float32 numbers next to it. */
  const around = (bound: number): readonly number[] => {
    if (bound === 0) return [0, -0, 2 ** -126, -(2 ** -126)];
    const bits = new Int32Array(new Float32Array([bound]).buffer)[0]!;
    return [bits - 1, bits, bits + 1].map((each) => new Float32Array(Int32Array.of(each).buffer)[0]!);
  };
  it.each([0, 6, 1, -1, 0.1, -2.5e-20, 3e30, -(2 ** 127)])('are exact next to %d', async (bound) => {
    const values = [...around(bound), -bound, 3e38, -3e38, 1e-30, -1e-30, 1, -1, 7, 5.5, 0];
    const x = floats(
      Float32Array.from({ length: 16 * 12 }, (_, i) => values[i % values.length]!),
      [1, 16, 3, 4],
    );
    const graph = graphOf({ op: 'Relu', inputs: [x] });
    // A Gather of all columns in order, which is blocked and keeps every bit.
    const nodes = [
      createNode({ id: 'g', op: 'Gather', inputs: ['x0', 'all'], outputs: ['r'], attributes: { axis: int(3) } }),
      ...['Greater', 'Less'].flatMap((op, i) => [
        createNode({ id: op, op, inputs: ['r', 'bound'], outputs: [`c${i}`] }),
        createNode({ id: `${op}/cast`, op: 'Cast', inputs: [`c${i}`], outputs: [`y${i}`], attributes: { to: int(1) } }),
      ]),
      graph.nodes[1]!,
    ];
    const whole = inferShapes({
      ...graph,
      nodes,
      outputs: ['y0', 'y1', 'b'],
      constants: new Map<string, Tensor>([
        ['bound', floats([bound], [])],
        ['all', tensor('int64', [4], BigInt64Array.of(0n, 1n, 2n, 3n))],
      ]),
      values: new Map([...graph.values].filter(([name]) => name !== 'y0')),
    });
    const session = await executor.open(whole);
    const results = await session.run(
      new Map<string, Tensor>([
        ['x0', x],
        ['a', floats([2], [1, 1, 1, 1])],
      ]),
    );
    const limit = Math.fround(bound);
    const wanted = (test: (value: number) => boolean) =>
      Array.from(x.data as Float32Array, (each) => Number(test(each)));
    expect([...(results.get('y0')!.data as Float32Array)]).toEqual(wanted((each) => each > limit));
    expect([...(results.get('y1')!.data as Float32Array)]).toEqual(wanted((each) => each < limit));
    expect(fastTraining(whole, block).nodes.map(({ op }) => op)).toContain('HardSigmoid');
  });
});

describe.skipIf(noBlocks)('max pooling', () => {
  interface Pool {
    readonly x: readonly number[];
    readonly kernel: readonly number[];
    readonly strides: readonly number[];
    readonly pads?: readonly number[];
    readonly named?: boolean;
    readonly fast: boolean;
  }
  it.each<Pool>([
    { x: [3, 16, 6, 8], kernel: [2, 2], strides: [2, 2], fast: true },
    { x: [3, 20, 7, 5], kernel: [2, 2], strides: [2, 2], fast: true },
    { x: [2, 32, 7, 9], kernel: [2, 1], strides: [3, 2], named: true, fast: true },
    { x: [32, 6, 7, 8], kernel: [2, 2], strides: [2, 2], fast: true },
    { x: [32, 1, 4, 9], kernel: [1, 3], strides: [1, 3], fast: true },
    { x: [3, 2, 7, 8], kernel: [2, 2], strides: [2, 2], fast: false },
    { x: [3, 16, 7, 8], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], fast: false },
    { x: [3, 16, 6, 6], kernel: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1], fast: false },
    { x: [3, 16, 8, 8], kernel: [4, 4], strides: [4, 4], fast: false },
  ])('of $x by $kernel with steps of $strides sends each gradient to the first maximum: $fast', async (pool) => {
    // Few different numbers, so that nearly every window has ties.
    const x = floats(
      Float32Array.from({ length: sizeOf(pool.x) }, () => random.below(3) - 1.5),
      pool.x,
    );
    const pads = pool.pads ?? [0, 0, 0, 0];
    const places = [0, 1].map(
      (axis) =>
        Math.floor((pool.x[axis + 2]! + pads[axis]! + pads[axis + 2]! - pool.kernel[axis]!) / pool.strides[axis]!) + 1,
    );
    const attributes = { kernel_shape: ints(pool.kernel), strides: ints(pool.strides), pads: ints(pads) };
    const dy = normal([...pool.x.slice(0, 2), ...places]);
    const graph = graphOf({ op: 'Relu', inputs: [x, dy], ...(pool.named ? { named: true } : {}) });
    const all = tensor(
      'int64',
      [pool.x[3]!],
      BigInt64Array.from({ length: pool.x[3]! }, (_, i) => BigInt(i)),
    );
    const whole = inferShapes({
      ...graph,
      outputs: ['y0', 'dx', 'b'],
      constants: new Map<string, Tensor>([['all', all]]),
      nodes: [
        // A Gather of all columns in order, which is blocked and keeps every bit.
        createNode({ id: 'g', op: 'Gather', inputs: ['x0', 'all'], outputs: ['r'], attributes: { axis: int(3) } }),
        createNode({ id: 'p', op: 'MaxPool', inputs: ['r'], outputs: ['y0'], attributes }),
        createNode({
          id: 'dp',
          op: 'espalier::MaxPoolGradient',
          inputs: ['r', 'y0', 'x1'],
          outputs: ['dx'],
          attributes,
        }),
        graph.nodes[1]!,
      ],
      values: new Map([...graph.values].filter(([name]) => name !== 'y0')),
    });
    const feeds = new Map<string, Tensor>([
      ['x0', x],
      ['x1', dy],
      ['a', floats([2], [1, 1, 1, 1])],
    ]);
    const [fast, plain] = [await executor.open(whole), await executor.open(lowerCustomOps(whole))];
    expect(largestDifference(await plain.run(feeds), await fast.run(feeds))).toBe(0);
    expect(fastTraining(whole, block).nodes.some((node) => node.id === 'dp')).toBe(!pool.fast);
  });
});

describe.skipIf(noBlocks)('places', () => {
  const numbers = (...values: number[]) => tensor('int64', [values.length], BigInt64Array.from(values, BigInt));
  const x = normal([2, 16, 6, 5]);
  it.each([
    ['Slice', [numbers(1, -4), numbers(6, 99), numbers(2, -1), numbers(2, 3)], {}, true],
    ['Slice', [numbers(0, 0), numbers(2, 3)], {}, false],
    ['Slice', [numbers(5), numbers(-99), numbers(3), numbers(-1)], {}, false],
    ['Pad', [numbers(0, 0, 1, 0, 0, 0, 2, 3)], {}, true],
    ['Pad', [numbers(0, 0, -1, 2, 0, 0, 0, -2)], {}, true],
    ['Pad', [numbers(0, 16, 0, 0, 0, 0, 0, 0)], {}, false],
    ['Pad', [numbers(0, 0, 1, 1, 0, 0, 1, 1), floats([2], [])], {}, false],
    ['Pad', [numbers(0, 0, 1, 1, 0, 0, 1, 1)], { mode: text('reflect') }, false],
    ['Gather', [numbers(3, -1, 0, 0)], { axis: int(3) }, true],
    ['Gather', [numbers(5, 1)], { axis: int(-2) }, true],
    ['Gather', [numbers(1, 0, 1)], { axis: int(1) }, false],
  ] as const)('are moved as %s does', async (op, rest, attributes, moved) => {
    const graph = graphOf({ op: 'Relu', inputs: [x] });
    const constants = new Map(rest.map((each, i) => [`c${i}`, each] as const));
    const nodes = [
      createNode({ id: 'r', op: 'espalier::BatchNormTraining', inputs: ['x0', 's', 's'], outputs: ['r'] }),
      createNode({ id: 'm', op, inputs: ['r', ...constants.keys()], outputs: ['y0'], attributes }),
      graph.nodes[1]!,
    ];
    const scale = ['s', floats(new Float32Array(16).fill(0.5))] as const;
    const whole = inferShapes({
      ...graph,
      nodes,
      constants: new Map<string, Tensor>([...constants, scale]),
      values: new Map([...graph.values].filter(([name]) => name !== 'y0')),
    });
    const feeds = new Map<string, Tensor>([
      ['x0', x],
      ['a', floats([2], [1, 1, 1, 1])],
    ]);
    const [fast, plain] = [await executor.open(whole), await executor.open(lowerCustomOps(whole))];
    expect(largestDifference(await plain.run(feeds), await fast.run(feeds))).toBeLessThan(1e-5);
    expect(fastTraining(whole, block).nodes.some((node) => node.id === 'm')).toBe(!moved);
  });
});

const stepOf = (graph: Graph, batch: number): TrainingStep => {
  const shapes = graph.inputs.map((name) => [name, [batch, ...graph.values.get(name)!.shape!.slice(1)]] as const);
  return trainingStep(setInputShapes(graph, new Map(shapes)), {
    loss: crossEntropy({}),
    optimizer: sgd({ momentum: 0.9 }),
  });
};

const carriedBy = (step: TrainingStep) => [...step.parameters, ...step.state, ...step.statistics];

function feedsOf(step: TrainingStep): Map<string, Tensor> {
  const feeds = new Map(carriedBy(step).map(({ input, initial }) => [input, initial]));
  for (const name of step.graph.inputs) {
    const { dtype, shape } = step.graph.values.get(name)!;
    const dims = shape!.map(Number);
    if (feeds.has(name)) continue;
    if (dtype === 'int64') {
      feeds.set(
        name,
        tensor(
          'int64',
          dims,
          BigInt64Array.from({ length: dims[0]! }, () => BigInt(random.below(10))),
        ),
      );
    } else feeds.set(name, normal(dims));
  }
  return feeds.set(step.learningRate, scalar(0.02)).set(step.step, scalar(1));
}

/** Losses of two steps, and the first step's momenta, which are the gradients then. */
async function train(step: TrainingStep, graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await executor.open(graph);
  const next = new Map(feeds);
  const losses: number[] = [];
  let gradients: readonly Tensor[] = [];
  for (let i = 0; i < 2; i++) {
    const results = await session.run(next);
    losses.push(Number(results.get(step.loss)!.data[0]));
    if (i === 0) gradients = step.state.map(({ output }) => results.get(output)!);
    for (const { input, output } of carriedBy(step)) next.set(input, results.get(output)!);
  }
  await session.close();
  return { losses, gradients };
}

/** √(Σ (a - b)² / Σ a²) over all tensors. */
function distance(a: readonly Tensor[], b: readonly Tensor[]): number {
  let [difference, size] = [0, 0];
  for (const [i, { data }] of a.entries()) {
    for (let j = 0; j < data.length; j++) {
      difference += (Number(data[j]) - Number(b[i]!.data[j])) ** 2;
      size += Number(data[j]) ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

/** Without kinks: a unit within rounding of a kink may fall on either side, and takes its share of a gradient along. */
const smooth = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) =>
    node.op === 'Relu' || node.op === 'Clip'
      ? { ...node, op: 'Tanh', inputs: node.inputs.slice(0, 1), attributes: new Map() }
      : node,
  ),
});

describe.skipIf(noBlocks)('a whole training step', () => {
  const shortcuts = () => resnet20({ shortcut: 'B' });
  const mobile = () => mobilenetV2({ classes: 10, size: 32, width: 0.5, stem: 'small' });
  const narrow = () => resnet20({ shortcut: 'B', width: 0.7 });
  // MobileNetV2 begins where a change of 1e-6 in its images moves the second loss in the third digit.
  it.each([
    { name: 'ResNet-20', build: shortcuts, gradients: 1e-2, losses: 1e-4 },
    { name: 'ResNet-20 without kinks', build: () => smooth(shortcuts()), gradients: 2e-5, losses: 1e-5 },
    { name: 'ResNet-20 with padded shortcuts', build: () => smooth(resnet20({})), gradients: 2e-5, losses: 1e-5 },
    { name: 'ResNet-20 of 11, 22 and 45 channels', build: () => smooth(narrow()), gradients: 2e-5, losses: 1e-5 },
    { name: 'LeNet-5', build: () => lenet5({}), gradients: 2e-5, losses: 1e-5 },
    { name: 'MobileNetV2', build: mobile, gradients: 0.2, losses: 2e-2 },
    { name: 'MobileNetV2 without kinks', build: () => smooth(mobile()), gradients: 2e-4, losses: 1e-4 },
  ])('of $name has the gradients and losses of the plain one', async ({ build, gradients, losses }) => {
    const step = stepOf(build(), 16);
    const feeds = feedsOf(step);
    const fast = await train(step, step.graph, feeds);
    const plain = await train(step, lowerCustomOps(step.graph), feeds);
    expect(distance(plain.gradients, fast.gradients)).toBeLessThan(gradients);
    expect(fast.losses[0]).toBeCloseTo(plain.losses[0]!, 5);
    for (const [i, loss] of fast.losses.entries()) expect(Math.abs(loss - plain.losses[i]!)).toBeLessThan(losses);
  });
});

it('graphs that do not train are handed to the runtime as they are', async () => {
  const graph = resnet20({});
  expect(await prepareGraph(runtime, graph)).toBe(graph);
});

const models = modelsFolder();
it.skipIf(!models)('the bytes of a real model stay the same (needs the models folder)', async () => {
  const graph = decodeOnnx(new Uint8Array(readFileSync(join(models!, 'resnet20-cifar10.onnx'))));
  const prepared = await prepareGraph(runtime, graph);
  expect(Buffer.concat(encodeOnnx(prepared)).equals(Buffer.concat(encodeOnnx(graph)))).toBe(true);
});
