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
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { evaluateGraph } from '../../../../test/float64/evaluate-graph.js';
import { largestDifference, runOnnx } from '../../../../test/run-onnx.js';
import { lowerCustomOps } from '../lower-custom-ops.js';

const random = createRandom(3);
const normal = (shape: readonly number[], { mean = 0, scale = 1 } = {}): Tensor =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, () => mean + scale * random.normal()),
    shape,
  );

interface Case {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

/** One node; sizes of the first axis are named, so that lowerings work for any batch. */
function graphOf({ op, inputs, attributes = {}, outputs = 1 }: Case, named = true): Graph {
  const names = inputs.map((input, i) => (input ? `x${i}` : undefined));
  const types = inputs.flatMap((input, i): (readonly [string, { dtype: 'float32'; shape: (number | string)[] }])[] => {
    if (!input) return [];
    const batch = named && input.shape.length > 1 && !(op.endsWith('InputGradient') && i === 1);
    return [[`x${i}`, { dtype: 'float32', shape: batch ? ['N', ...input.shape.slice(1)] : [...input.shape] }]];
  });
  const out = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return inferShapes(
    createGraph({
      inputs: names.filter((name) => name !== undefined),
      outputs: out,
      nodes: [createNode({ id: 'op', op: `espalier::${op}`, inputs: names, outputs: out, attributes })],
      values: new Map(types),
      opsets: new Map([
        ['', 18],
        ['espalier', 1],
      ]),
    }),
  );
}

const feedsOf = ({ inputs }: Case): ReadonlyMap<string, Tensor> =>
  new Map(inputs.flatMap((input, i) => (input ? [[`x${i}`, input] as const] : [])));

/** Largest error of the lowered op in onnxruntime against loops in float64, relative to the largest value. */
async function error(each: Case): Promise<number> {
  const graph = graphOf(each);
  const reference = evaluateGraph(graph, feedsOf(each));
  const expected = new Map(graph.outputs.map((name) => [name, reference.get(name)!]));
  for (const [name, { shape }] of expected) {
    expect(graphOf(each, false).values.get(name)?.shape).toEqual(shape);
    expect(graph.values.get(name)?.shape).toHaveLength(shape.length);
  }
  const lowered = lowerCustomOps(graph);
  expect(lowered.nodes.every(({ op }) => !op.includes('::'))).toBe(true);
  return largestDifference(expected, await runOnnx(lowered, feedsOf(each)));
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
  ['a plain one', { x: [2, 3, 6, 5], w: [4, 3, 3, 3], pads: [1, 1, 1, 1] }],
  ['stride 2 that leaves a rest', { x: [2, 3, 8, 7], w: [4, 3, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }],
  ['stride 3 larger than the kernel', { x: [2, 2, 8, 9], w: [3, 2, 1, 2], strides: [3, 3] }],
  ['one-sided pads', { x: [1, 2, 6, 6], w: [2, 2, 3, 2], pads: [2, 0, 0, 1], strides: [2, 1] }],
  ['dilation', { x: [2, 2, 9, 8], w: [3, 2, 3, 3], dilations: [2, 3], pads: [1, 2, 1, 2] }],
  [
    'dilation and stride',
    { x: [2, 2, 10, 9], w: [3, 2, 2, 3], dilations: [3, 2], strides: [2, 3], pads: [0, 1, 2, 0] },
  ],
  ['groups', { x: [3, 4, 5, 6], w: [6, 2, 3, 3], group: 2, pads: [1, 0, 1, 0], strides: [1, 2] }],
  [
    'a depthwise one with multiplier 2',
    { x: [2, 3, 7, 7], w: [6, 1, 3, 3], group: 3, pads: [1, 1, 1, 1], strides: [2, 2] },
  ],
  ['dilated groups', { x: [2, 4, 8, 8], w: [4, 2, 3, 3], group: 2, dilations: [2, 2], pads: [2, 2, 2, 2] }],
  ['one spatial axis', { x: [2, 3, 11], w: [4, 3, 4], strides: [3], pads: [2, 1] }],
  ['three spatial axes', { x: [1, 2, 4, 5, 3], w: [2, 2, 2, 3, 2], strides: [1, 2, 1] }],
];

function attributesOf({ w, strides, pads, dilations, group = 1 }: Layer): Readonly<Record<string, Attribute>> {
  return {
    kernel_shape: ints(w.slice(2)),
    group: int(group),
    ...(strides ? { strides: ints(strides) } : {}),
    ...(pads ? { pads: ints(pads) } : {}),
    ...(dilations ? { dilations: ints(dilations) } : {}),
  };
}

function outputOf(layer: Layer): readonly number[] {
  const node = createNode({ id: 'c', op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes: attributesOf(layer) });
  const graph = createGraph({
    inputs: ['x', 'w'],
    outputs: ['y'],
    nodes: [node],
    values: new Map([
      ['x', { dtype: 'float32', shape: layer.x }],
      ['w', { dtype: 'float32', shape: layer.w }],
    ]),
  });
  return inferShapes(graph).values.get('y')!.shape as readonly number[]; // all sizes are numbers
}

describe.each(layers)('gradients of a convolution: %s', (_, layer) => {
  const attributes = attributesOf(layer);
  const dy = normal(outputOf(layer));
  test('with respect to its input', async () => {
    const input = { ...attributes, input_shape: ints(layer.x.slice(2)) };
    const each = { op: 'ConvInputGradient', inputs: [dy, normal(layer.w)], attributes: input };
    expect(await error(each)).toBeLessThan(1e-5);
  });
  test('with respect to its weight', async () => {
    expect(await error({ op: 'ConvWeightGradient', inputs: [normal(layer.x), dy], attributes })).toBeLessThan(1e-5);
  });
});

describe('the gradient of a max pooling', () => {
  const pools: readonly (readonly [string, Record<string, Attribute>, readonly number[]])[] = [
    ['apart', { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, [3, 3]],
    ['overlapping', { kernel_shape: ints([3, 3]), strides: ints([2, 1]), pads: ints([1, 1, 1, 1]) }, [4, 7]],
    ['in ceil mode', { kernel_shape: ints([3, 2]), strides: ints([2, 2]), ceil_mode: int(1) }, [3, 4]],
    ['dilated', { kernel_shape: ints([2, 2]), dilations: ints([2, 3]) }, [5, 4]],
  ];
  test.each(pools)('of windows %s goes to the first maximum', async (_, attributes, places) => {
    // Few different values, of both signs: ties in most windows.
    const data = Float32Array.from({ length: 2 * 3 * 7 * 7 }, () => random.below(3) - 2);
    const x = floats(data, [2, 3, 7, 7]);
    const y = normal([2, 3, ...places]);
    expect(await error({ op: 'MaxPoolGradient', inputs: [x, y, normal(y.shape)], attributes })).toBeLessThan(1e-6);
  });
});

describe('batch norm in training', () => {
  const shapes = [
    [4, 3, 5, 5],
    [6, 2],
    [3, 2, 7],
    [1, 2, 4, 4],
  ];
  test.each(shapes.map((shape) => [shape]))('of %j has the statistics of the batch', async (shape) => {
    const channels = [shape[1]!];
    const inputs = [normal(shape), normal(channels), normal(channels)];
    const attributes = { epsilon: float(1e-3) };
    expect(await error({ op: 'BatchNormTraining', inputs, attributes, outputs: 3 })).toBeLessThan(1e-5);
  });

  test('keeps its digits where the mean is a thousand deviations', async () => {
    const inputs = [normal([8, 2, 6, 6], { mean: 1000 }), normal([2]), normal([2])];
    expect(await error({ op: 'BatchNormTraining', inputs, outputs: 3 })).toBeLessThan(1e-4);
  });

  test.each([
    [0, 1e-5],
    [100, 1e-3],
  ])('has the gradient of its meaning at mean %d', async (mean, limit) => {
    const x = normal([6, 3, 4, 4], { mean });
    const [scale, dy] = [normal([3]), normal([6, 3, 4, 4])];
    const statistics = evaluateGraph(
      graphOf({ op: 'BatchNormTraining', inputs: [x, scale, scale], outputs: 3 }),
      new Map([
        ['x0', x],
        ['x1', scale],
        ['x2', scale],
      ]),
    );
    const [m, v] = [1, 2].map((i) => floats(Float32Array.from(statistics.get(`y${i}`)!.data as Float64Array), [3]));
    expect(await error({ op: 'BatchNormGradient', inputs: [x, scale, m, v, dy], outputs: 3 })).toBeLessThan(limit);
  });
});

describe('the gradient of a fake-quantizer', () => {
  const x = normal([3, 4, 2], { scale: 3 });
  const dy = normal([3, 4, 2]);
  const scales = floats([0.5, 0.25, 0.3, 0.7]);
  const cases: readonly (readonly [string, Tensor, Tensor | undefined, Record<string, Attribute>])[] = [
    ['4 bits', floats([0.5], []), undefined, { bits: int(4) }],
    ['one scale in a list', floats([0.5]), undefined, { bits: int(3), narrow: int(1) }],
    ['unsigned with a zero point', floats([0.4], []), floats([6], []), { bits: int(4), signed: int(0) }],
    ['per channel', scales, undefined, { bits: int(3), axis: int(1) }],
    ['per channel with zero points', scales, floats([0, 1, -2, 1]), { bits: int(3), axis: int(-2) }],
  ];
  test.each(cases)('%s: straight through inside, the bound outside', async (_, scale, zero, attributes) => {
    const each = { op: 'FakeQuantizeGradient', inputs: [x, scale, zero, dy], attributes, outputs: 2 };
    expect(await error(each)).toBeLessThan(1e-5);
  });
});

test('what a lowering needs and does not know is said', () => {
  const lower = (each: Case, shapes: Readonly<Record<string, readonly (string | number)[]>>) => () => {
    const graph = graphOf(each);
    const values = new Map(graph.values);
    for (const [name, shape] of Object.entries(shapes)) values.set(name, { dtype: 'float32', shape });
    return lowerCustomOps({ ...graph, values });
  };
  const [x, dy] = [normal([2, 4, 5, 5]), normal([2, 4, 3, 3])];
  const attributes = { kernel_shape: ints([3, 3]), group: int(2) };
  const grouped: Case = { op: 'ConvWeightGradient', inputs: [x, dy], attributes };
  expect(lower(grouped, { x0: ['N', 4, 'H', 'W'] })).toThrowErrorMatchingInlineSnapshot(
    `[EspalierError: node "op" (espalier::ConvWeightGradient): expected known channels (a multiple of 2) and spatial sizes of "x0", found [N, 4, H, W]. Correct the node, or lower it with a pass of your own first.]`,
  );
  const input: Case = {
    op: 'ConvInputGradient',
    inputs: [dy, normal([4, 4, 3, 3])],
    attributes: { kernel_shape: ints([3, 3]), input_shape: ints([5, 5]) },
  };
  const wrong: Case = {
    ...input,
    attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1]), input_shape: ints([5, 5]) },
  };
  expect(lower(wrong, {})).toThrowErrorMatchingInlineSnapshot(
    `[EspalierError: node "op" (espalier::ConvInputGradient): expected attribute "pads" of 4 numbers, each 0 or more, found [1, 1]. Correct the node, or lower it with a pass of your own first.]`,
  );
});
