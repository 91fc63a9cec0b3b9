import {
  type Attribute,
  createGraph,
  createNode,
  type DType,
  float,
  floats,
  fromNumbers,
  type Graph,
  int,
  ints,
  longs,
  opsetOf,
  reshaped,
  scalar,
  type Tensor,
  text,
  type ValueInfo,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import { convertOpset } from './convert-opset.js';

interface Case {
  readonly op: string;
  readonly from: number;
  readonly to: number;
  readonly shape: readonly (number | string)[];
  readonly dtype?: DType;
  readonly constants?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: readonly string[];
}

function graphOf({
  op,
  from,
  shape,
  dtype = 'float32',
  constants = [],
  attributes = {},
  outputs = ['y'],
}: Case): Graph {
  const names = constants.map((_, i) => `c${i}`);
  return createGraph({
    inputs: ['x'],
    outputs,
    nodes: [createNode({ id: 'node', op, inputs: ['x', ...names], outputs, attributes })],
    constants: new Map(constants.map((each, i) => [`c${i}`, each])),
    values: new Map<string, ValueInfo>([['x', { dtype, shape }]]),
    opsets: new Map([['', from]]),
  });
}

const list = (...values: readonly number[]): Attribute => ints(values);
const vector = (count: number, from = 1): Tensor =>
  floats(Float32Array.from({ length: count }, (_, i) => from + i / count));
const statistics = [vector(3), vector(3), vector(3), vector(3)];

const cases: readonly Case[] = [
  { op: 'Squeeze', from: 11, to: 13, shape: ['n', 1, 3], attributes: { axes: list(1) } },
  { op: 'Unsqueeze', from: 11, to: 21, shape: ['n', 3], attributes: { axes: list(0, 2) } },
  { op: 'ReduceSum', from: 11, to: 13, shape: [2, 3], attributes: { axes: list(1), keepdims: int(0) } },
  { op: 'ReduceMean', from: 13, to: 18, shape: [2, 3, 4], attributes: { axes: list(1, 2) } },
  { op: 'ReduceMax', from: 11, to: 21, shape: [2, 3] },
  {
    op: 'Split',
    from: 11,
    to: 13,
    shape: [2, 5],
    attributes: { axis: int(1), split: list(2, 3) },
    outputs: ['y', 'z'],
  },
  { op: 'Split', from: 11, to: 18, shape: [4, 2], outputs: ['y', 'z'] },
  {
    op: 'Slice',
    from: 9,
    to: 10,
    shape: [4, 5],
    attributes: { starts: list(1, -3), ends: list(9, -1), axes: list(0, 1) },
  },
  { op: 'Slice', from: 9, to: 21, shape: [4], attributes: { starts: list(1), ends: list(2 ** 31) } },
  { op: 'Clip', from: 7, to: 13, shape: [3, 4], attributes: { min: float(-0.5), max: float(0.5) } },
  { op: 'Clip', from: 10, to: 11, shape: [3, 4], attributes: { max: float(0.1) } },
  { op: 'Pad', from: 10, to: 13, shape: [2, 3], attributes: { pads: list(0, 1, 1, 2), value: float(2) } },
  { op: 'Pad', from: 7, to: 21, shape: [4, 4], attributes: { pads: list(1, 1, 1, 1), mode: text('reflect') } },
  { op: 'TopK', from: 9, to: 11, shape: [2, 5], attributes: { k: int(2) }, outputs: ['y', 'z'] },
  { op: 'Dropout', from: 7, to: 13, shape: [2, 5], attributes: { ratio: float(0.3) } },
  { op: 'Softmax', from: 11, to: 13, shape: ['n', 3, 4] },
  { op: 'Softmax', from: 7, to: 21, shape: ['n', 'c', 'w'], attributes: { axis: int(1) } },
  { op: 'Softmax', from: 11, to: 13, shape: ['n', 3, 1, 1] },
  { op: 'LogSoftmax', from: 11, to: 13, shape: ['n', 3, 4], attributes: { axis: int(2) } },
  { op: 'Hardmax', from: 11, to: 13, shape: [2, 3, 2], attributes: { axis: int(0) } },
  {
    op: 'BatchNormalization',
    from: 8,
    to: 9,
    shape: ['n', 3, 2],
    constants: statistics,
    attributes: { spatial: int(1) },
  },
  { op: 'BatchNormalization', from: 9, to: 21, shape: ['n', 3, 2], constants: statistics },
  {
    op: 'Resize',
    from: 10,
    to: 11,
    shape: [1, 2, 3, 3],
    constants: [floats([1, 1, 2, 2])],
    attributes: { mode: text('nearest') },
  },
  {
    op: 'Resize',
    from: 10,
    to: 13,
    shape: [1, 2, 3, 3],
    constants: [floats([1, 1, 1.5, 2.5])],
    attributes: { mode: text('nearest') },
  },
  {
    op: 'Resize',
    from: 10,
    to: 21,
    shape: [1, 2, 4, 4],
    constants: [floats([1, 1, 0.5, 2])],
    attributes: { mode: text('linear') },
  },
  {
    op: 'Upsample',
    from: 8,
    to: 13,
    shape: [1, 2, 3, 3],
    attributes: { mode: text('nearest'), scales: { kind: 'floats', value: [1, 1, 2, 3] } },
  },
  {
    op: 'Upsample',
    from: 9,
    to: 11,
    shape: [1, 2, 3, 3],
    constants: [floats([1, 1, 2, 2])],
    attributes: { mode: text('linear') },
  },
  { op: 'Scatter', from: 9, to: 13, shape: [3, 2], constants: [longs([2, 0], [1, 2]), floats([5, 6], [1, 2])] },
  {
    op: 'MaxPool',
    from: 8,
    to: 12,
    shape: [1, 2, 5, 5],
    attributes: { kernel_shape: list(2, 2), strides: list(2, 2), pads: list(1, 1, 0, 0) },
  },
  {
    op: 'AveragePool',
    from: 7,
    to: 21,
    shape: [1, 2, 5, 5],
    attributes: { kernel_shape: list(3, 3), pads: list(1, 1, 1, 1), count_include_pad: int(1) },
  },
  { op: 'Gemm', from: 9, to: 13, shape: [2, 3], constants: [reshaped(vector(6), [3, 2]), vector(2)] },
  { op: 'Cast', from: 9, to: 19, shape: [4], attributes: { to: int(6) } },
  {
    op: 'GroupNormalization',
    from: 18,
    to: 21,
    shape: [2, 6, 3],
    constants: [vector(3), vector(3)],
    attributes: { num_groups: int(3) },
  },
  {
    op: 'GridSample',
    from: 16,
    to: 20,
    shape: [1, 1, 3, 3],
    constants: [reshaped(vector(8, -1), [1, 2, 2, 2])],
    attributes: { mode: text('bicubic') },
  },
  {
    op: 'RoiAlign',
    from: 10,
    to: 16,
    shape: [1, 1, 6, 6],
    constants: [floats([0, 0, 4, 4], [1, 4]), longs([0])],
    attributes: { output_height: int(2), output_width: int(2) },
  },
  { op: 'QuantizeLinear', from: 10, to: 21, shape: [2, 3], constants: [scalar(0.1), fromNumbers('uint8', [], [100])] },
  { op: 'DFT', from: 17, to: 20, shape: [1, 4, 1], attributes: { onesided: int(0) } },
];

describe('a converted node computes what it did, in onnxruntime', () => {
  test.each(cases.map((each) => [`${each.op} from ${each.from} to ${each.to} on [${each.shape}]`, each] as const))(
    '%s',
    async (_, each) => {
      const graph = graphOf(each);
      const converted = convertOpset(graph, each.to);
      expect(opsetOf(converted)).toBe(each.to);
      expect(converted.outputs).toEqual(graph.outputs);
      const feeds = randomFeeds(graph);
      const before = await runOnnx(inferShapes(graph), feeds);
      expect(largestDifference(before, await runOnnx(inferShapes(converted), feeds))).toBeLessThan(1e-6);
      const bySteps = Array.from({ length: each.to - each.from }, (_, i) => each.from + i + 1).reduce(
        convertOpset,
        graph,
      );
      expect(largestDifference(before, await runOnnx(inferShapes(bySteps), feeds))).toBeLessThan(1e-6);
    },
  );
});

test('bodies of If are converted with their own constants', async () => {
  const body = (axis: number): Graph => ({
    ...createGraph({
      inputs: [],
      outputs: ['out'],
      nodes: [
        createNode({
          id: `s${axis}`,
          op: 'ReduceSum',
          inputs: ['x'],
          outputs: ['out'],
          attributes: { axes: ints([axis]), keepdims: int(1) },
        }),
      ],
    }),
    opsets: new Map(),
  });
  const graph = createGraph({
    inputs: ['x', 'c'],
    outputs: ['y'],
    nodes: [
      createNode({
        id: 'if',
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: { then_branch: { kind: 'graph', value: body(0) }, else_branch: { kind: 'graph', value: body(1) } },
      }),
    ],
    values: new Map<string, ValueInfo>([
      ['x', { dtype: 'float32', shape: [2, 3] }],
      ['c', { dtype: 'bool', shape: [] }],
      ['y', { dtype: 'float32' }],
    ]),
    opsets: new Map([['', 11]]),
  });
  const feeds = randomFeeds(graph);
  const converted = convertOpset(graph, 13);
  expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(converted, feeds))).toBe(0);
});

describe('what cannot be exact is refused by name', () => {
  const refused: readonly (readonly [string, Case])[] = [
    [
      'batch norm in training form',
      { op: 'BatchNormalization', from: 9, to: 15, shape: [1, 3], constants: statistics, outputs: ['y', 'm', 'v'] },
    ],
    [
      'statistics per position',
      {
        op: 'BatchNormalization',
        from: 7,
        to: 9,
        shape: [1, 3],
        constants: statistics,
        attributes: { spatial: int(0) },
      },
    ],
    [
      'shrinking by a fraction',
      { op: 'Resize', from: 10, to: 11, shape: [1, 1, 5, 5], constants: [floats([1, 1, 0.6, 1])] },
    ],
    [
      'a coordinate mode that is gone',
      {
        op: 'Resize',
        from: 11,
        to: 13,
        shape: [1, 1, 4, 4],
        constants: [floats([]), floats([1, 1, 2, 2])],
        attributes: { coordinate_transformation_mode: text('tf_half_pixel_for_nn') },
      },
    ],
    [
      'groups of unknown size',
      {
        op: 'GroupNormalization',
        from: 18,
        to: 21,
        shape: [1, 'c', 2],
        constants: [vector(2), vector(2)],
        attributes: { num_groups: int(2) },
      },
    ],
    ['a Scan with a batch axis', { op: 'Scan', from: 8, to: 9, shape: [1] }],
  ];
  test.each(refused)('%s', (_, each) => {
    expect(() => convertOpset(graphOf(each), each.to)).toThrow(
      expect.objectContaining({ code: 'PASS_OPSET', details: expect.objectContaining({ node: 'node' }) }),
    );
  });

  test('the message says where, what and what to do', () => {
    expect(() => convertOpset(graphOf(refused[0]![1]), 15)).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: node "node" (BatchNormalization): expected a form with the same meaning in opset 15, found a batch norm in training form. Export the model again in a newer opset, or stay below the version that changed this op.]`,
    );
  });

  test('going back, and versions out of reach', () => {
    const graph = graphOf({ op: 'Relu', from: 13, to: 13, shape: [1] });
    expect(() => convertOpset(graph, 12)).toThrow(expect.objectContaining({ code: 'PASS_OPSET' }));
    expect(() => convertOpset(graph, 99)).toThrow(expect.objectContaining({ code: 'PASS_OPSET' }));
    expect(() => convertOpset({ ...graph, opsets: new Map([['', 0]]) }, 13)).toThrow(
      expect.objectContaining({ code: 'PASS_OPSET' }),
    );
    const late = graphOf({ op: 'SwiGLU', from: 28, to: 26, shape: [4] });
    expect(() => convertOpset(late, 26)).toThrow(/SwiGLU.*found an op of opset 28/);
    const crd = graphOf({
      op: 'SpaceToDepth',
      from: 28,
      to: 26,
      shape: [1, 1, 2, 2],
      attributes: { mode: text('CRD') },
    });
    expect(() => convertOpset(crd, 26)).toThrow(/found an attribute of opset 28 \(mode\)/);
    expect(opsetOf(convertOpset({ ...graph, opsets: new Map([['', 28]]) }, 26))).toBe(26);
    expect(() => convertOpset({ ...graph, opsets: new Map([['', 28]]) }, 22)).toThrow(/from 23 on/);
    expect(convertOpset(graph, 13)).toBe(graph);
  });

  test('a model-local function with an op that changed', () => {
    const body = {
      op: 'acme::F',
      inputs: ['a'],
      outputs: ['b'],
      parameters: [],
      defaults: new Map(),
      values: new Map(),
      nodes: [
        createNode({ id: 'inner', op: 'Squeeze', inputs: ['a'], outputs: ['b'], attributes: { axes: ints([0]) } }),
      ],
      opsets: new Map([['', 11]]),
    };
    const graph = { ...graphOf({ op: 'acme::F', from: 11, to: 13, shape: [1] }), functions: [body] };
    expect(() => convertOpset(graph, 13)).toThrow(expect.objectContaining({ code: 'PASS_OPSET' }));
    expect(opsetOf(convertOpset(graph, 12))).toBe(12);
  });
});
