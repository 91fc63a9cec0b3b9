import {
  type Attribute,
  createGraph,
  createNode,
  float,
  floats,
  type Graph,
  int,
  ints,
  longs,
  type Tensor,
  text,
  toNumbers,
  type ValueInfo,
} from '@espalier/core';
import { expect, test } from 'vitest';
import { runOnnx } from '../../../test/run-onnx.js';
import { convertOpset } from './convert-opset.js';

interface Case {
  readonly about: string;
  readonly op: string;
  readonly opset: number;
  readonly x: Tensor;
  /** Further inputs, as constants. */
  readonly constants?: readonly Tensor[];
  /** Further inputs, as inputs of the graph. */
  readonly inputs?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: readonly string[];
  readonly expected: readonly number[];
  readonly shape: readonly number[];
}

function graphOf({ op, opset, x, constants = [], inputs = [], attributes = {}, outputs = ['y'] }: Case): Graph {
  const [names, fed] = [constants.map((_, i) => `c${i}`), inputs.map((_, i) => `x${i}`)];
  const info = ({ dtype, shape }: Tensor): ValueInfo => ({ dtype, shape });
  return createGraph({
    inputs: ['x', ...fed],
    outputs: ['y'],
    nodes: [createNode({ id: 'node', op, inputs: ['x', ...fed, ...names], outputs, attributes })],
    constants: new Map(constants.map((each, i) => [`c${i}`, each])),
    values: new Map<string, ValueInfo>([['x', info(x)], ...inputs.map((each, i) => [`x${i}`, info(each)] as const)]),
    opsets: new Map([['', opset]]),
  });
}

const image = floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);

const cases: readonly Case[] = [
  {
    about: 'a constant aligned at the channels',
    op: 'Add',
    opset: 6,
    x: image,
    constants: [floats([10, 20])],
    attributes: { broadcast: int(1), axis: int(1) },
    expected: [11, 12, 13, 14, 25, 26, 27, 28],
    shape: [1, 2, 2, 2],
  },
  {
    about: 'an input aligned at the channels, counted from the end',
    op: 'Mul',
    opset: 5,
    x: image,
    inputs: [floats([10, 100])],
    attributes: { broadcast: int(1), axis: int(-3), consumed_inputs: ints([0, 0]) },
    expected: [10, 20, 30, 40, 500, 600, 700, 800],
    shape: [1, 2, 2, 2],
  },
  {
    about: 'an input aligned at the last axes',
    op: 'Sub',
    opset: 6,
    x: image,
    constants: [floats([1, 2])],
    attributes: { broadcast: int(1) },
    expected: [0, 0, 2, 2, 4, 4, 6, 6],
    shape: [1, 2, 2, 2],
  },
  {
    about: 'a slope of one number a channel',
    op: 'PRelu',
    opset: 6,
    x: floats([-1, -2, -3, -4, -5, -6, -7, -8], [1, 2, 2, 2]),
    constants: [floats([2, 10])],
    expected: [-2, -4, -6, -8, -50, -60, -70, -80],
    shape: [1, 2, 2, 2],
  },
  {
    about: 'a batch norm for inference: (x - 1) / sqrt(3 + 1) * 4 + 5',
    op: 'BatchNormalization',
    opset: 6,
    x: floats([1, 3, 5, 7], [1, 1, 2, 2]),
    constants: [floats([4]), floats([5]), floats([1]), floats([3])],
    attributes: { is_test: int(1), epsilon: float(1) },
    outputs: ['y', 'mean', 'variance'],
    expected: [5, 9, 13, 17],
    shape: [1, 1, 2, 2],
  },
  {
    about: 'a dtype said as a word',
    op: 'Cast',
    opset: 5,
    x: floats([1.5, -2.5]),
    attributes: { to: text('INT32') },
    expected: [1, -2],
    shape: [2],
  },
  {
    about: 'a shape that is an attribute',
    op: 'Reshape',
    opset: 4,
    x: floats([1, 2, 3, 4]),
    attributes: { shape: ints([2, -1]) },
    expected: [1, 2, 3, 4],
    shape: [2, 2],
  },
  {
    about: 'one axis repeated',
    op: 'Tile',
    opset: 5,
    x: floats([1, 2], [1, 2]),
    constants: [longs([2]), longs([1])],
    expected: [1, 2, 1, 2],
    shape: [1, 4],
  },
  {
    about: 'factors of height and width',
    op: 'Upsample',
    opset: 6,
    x: floats([1, 2], [1, 1, 1, 2]),
    attributes: { height_scale: float(2), width_scale: float(1) },
    expected: [1, 2, 1, 2],
    shape: [1, 1, 2, 2],
  },
  {
    about: 'a Dropout of training files',
    op: 'Dropout',
    opset: 6,
    x: floats([1, 2]),
    attributes: { is_test: int(1), ratio: float(0.5) },
    outputs: ['y', 'mask'],
    expected: [1, 2],
    shape: [2],
  },
  {
    about: 'a matrix product with a bias',
    op: 'Gemm',
    opset: 6,
    x: floats([1, 2], [1, 2]),
    constants: [floats([1, 0, 0, 1], [2, 2]), floats([10, 20])],
    attributes: { broadcast: int(1) },
    expected: [11, 22],
    shape: [1, 2],
  },
];

test.each(cases)('$op of opset $opset: $about', async (each) => {
  const converted = convertOpset(graphOf(each), 21);
  const feeds = new Map([['x', each.x], ...(each.inputs ?? []).map((input, i) => [`x${i}`, input] as const)]);
  const y = (await runOnnx(converted, feeds)).get('y')!; // the graph's output
  expect(y.shape).toEqual(each.shape);
  expect(Array.from(toNumbers(y))).toEqual(each.expected);
});

test('inputs aligned at an axis need ranks, and a batch norm in training form stays refused', () => {
  const add = graphOf(cases[0]!);
  expect(() => convertOpset({ ...add, values: new Map([['x', { dtype: 'float32' }]]) }, 7)).toThrow(
    /node "node" \(Add\).*ranks are not known/,
  );
  const norm = graphOf({ ...cases[4]!, attributes: { is_test: int(0) } });
  expect(() => convertOpset(norm, 7)).toThrow(/is_test = 0/);
});

test('a mask of Dropout that is read is made of the truth values of today', async () => {
  const mask: Case = { ...cases[9]!, opset: 7, attributes: { ratio: float(0.5) } };
  const graph = { ...graphOf(mask), outputs: ['y', 'mask'] };
  const results = await runOnnx(convertOpset(graph, 13), new Map([['x', mask.x]]));
  expect(results.get('mask')).toEqual(floats([1, 1]));
  expect(results.get('y')).toEqual(floats([1, 2]));
});
