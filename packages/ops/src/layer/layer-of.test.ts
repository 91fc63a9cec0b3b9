import {
  type Attribute,
  type AxisRule,
  buildGraph,
  type DType,
  fromNumbers,
  type Graph,
  int,
  sizeOf,
  text,
} from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { axisRules } from '../axes/axis-rules.js';
import { inferShapes } from '../infer-shapes.js';
import { isRefusal } from './layer.js';
import { layerByRule } from './layer-by-rule.js';
import { layerOf } from './layer-of.js';

interface Sample {
  /** Shapes of the inputs; constants are those that `constants` names. */
  readonly inputs: readonly (readonly number[] | undefined)[];
  readonly constants: readonly number[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly dtypes?: Readonly<Record<number, DType>>;
  /** The shape of the result, where it is not inferred. */
  readonly result?: readonly number[];
}

function graphOf(op: string, { inputs, constants, attributes = {}, dtypes = {}, result }: Sample): Graph {
  const b = buildGraph();
  const values = inputs.map((shape, slot) => {
    if (!shape) return undefined;
    const dtype = dtypes[slot] ?? 'float32';
    return constants.includes(slot)
      ? b.constant(`c${slot}`, fromNumbers(dtype, shape, new Array<number>(sizeOf(shape)).fill(1)))
      : b.input(`x${slot}`, dtype, shape);
  });
  b.output(b.add(op, values, { name: 'y', attributes }));
  if (result) b.info('y', { dtype: 'float32', shape: result });
  return inferShapes(b.finish());
}

const layerIn = (graph: Graph, rules?: ReadonlyMap<string, AxisRule>) => {
  const layer = layerOf(graph, graph.nodes[0]!, rules);
  if (isRefusal(layer)) throw new Error(layer.reason);
  return layer;
};
const weightsIn = (op: string, sample: Sample) =>
  layerIn(graphOf(op, sample)).weights.map(({ slot, outputs, sums, inner, stacked, groups }) => ({
    slot,
    outputs,
    sums,
    inner,
    stacked,
    groups,
  }));
const axes = { inner: [], stacked: [], groups: 1 };
const u8: Readonly<Record<number, DType>> = { 0: 'uint8', 1: 'uint8', 2: 'uint8', 3: 'uint8', 5: 'uint8' };

// Layouts as the ONNX operator set and the contrib ops of onnxruntime document them.
const samples: Readonly<Record<string, readonly [string, Sample]>> = {
  conv: ['Conv', { inputs: [[1, 4, 5, 5], [6, 4, 3, 3], [6]], constants: [1, 2] }],
  // Three channels in each of two groups: fewer, and the rule would cut whole groups and call their channels `inner`.
  'grouped conv': [
    'Conv',
    { inputs: [[1, 6, 5, 5], [4, 3, 3, 3], [4]], constants: [1, 2], attributes: { group: int(2) } },
  ],
  'transposed conv': [
    'ConvTranspose',
    {
      inputs: [
        [1, 4, 5, 5],
        [4, 6, 3, 3],
      ],
      constants: [1],
    },
  ],
  'weight on the right': [
    'MatMul',
    {
      inputs: [
        [2, 3, 4],
        [4, 5],
      ],
      constants: [1],
    },
  ],
  'weight on the left': [
    'MatMul',
    {
      inputs: [
        [3, 4],
        [2, 4, 5],
      ],
      constants: [0],
    },
  ],
  gemm: ['Gemm', { inputs: [[3, 4], [4, 5], [5]], constants: [1, 2] }],
  'gemm, transposed': [
    'Gemm',
    {
      inputs: [
        [4, 3],
        [5, 4],
      ],
      constants: [1],
      attributes: { transA: int(1), transB: int(1) },
    },
  ],
  'fused product': [
    'com.microsoft::FusedMatMul',
    {
      inputs: [
        [2, 3, 4],
        [5, 4],
      ],
      constants: [1],
      attributes: { transB: int(1) },
    },
  ],
  lstm: [
    'LSTM',
    {
      inputs: [
        [7, 1, 3],
        [1, 16, 3],
        [1, 16, 4],
      ],
      constants: [1, 2],
      attributes: { hidden_size: int(4) },
    },
  ],
  'integer product': [
    'MatMulInteger',
    {
      inputs: [
        [3, 4],
        [4, 5],
      ],
      constants: [1],
      dtypes: u8,
    },
  ],
  'integer convolution': [
    'ConvInteger',
    {
      inputs: [
        [1, 4, 5, 5],
        [6, 4, 3, 3],
      ],
      constants: [1],
      dtypes: u8,
    },
  ],
  einsum: [
    'Einsum',
    {
      inputs: [
        [2, 3, 4],
        [5, 4],
      ],
      constants: [1],
      attributes: { equation: text('bij,kj->bik') },
    },
  ],
};

describe('layerOf', () => {
  it('says which axes of a weight make outputs, are summed over, or are a kernel', () => {
    expect(weightsIn(...samples['conv']!)).toEqual([{ ...axes, slot: 1, outputs: [0], sums: [1], inner: [2, 3] }]);
    expect(weightsIn(...samples['transposed conv']!)).toEqual([
      { ...axes, slot: 1, outputs: [1], sums: [0], inner: [2, 3] },
    ]);
    expect(weightsIn(...samples['weight on the left']!)).toEqual([{ ...axes, slot: 0, outputs: [0], sums: [1] }]);
    expect(weightsIn(...samples['gemm, transposed']!)).toEqual([{ ...axes, slot: 1, outputs: [0], sums: [1] }]);
    expect(weightsIn(...samples['lstm']!)).toEqual([
      { ...axes, slot: 1, outputs: [1], sums: [2], stacked: [0] },
      { ...axes, slot: 2, outputs: [1], sums: [2], stacked: [0] },
    ]);
    expect(weightsIn(...samples['einsum']!)).toEqual([{ ...axes, slot: 1, outputs: [0], sums: [1] }]);
    expect(
      weightsIn('MatMul', {
        inputs: [
          [2, 3, 4],
          [2, 4, 5],
        ],
        constants: [1],
      }), // a stack of two matrices
    ).toEqual([{ ...axes, slot: 1, outputs: [2], sums: [1], stacked: [0] }]);
    const rows: Sample = { inputs: [[10, 8], [3]], constants: [0], dtypes: { 1: 'int64' } };
    expect(weightsIn('Gather', rows)).toEqual([{ ...axes, slot: 0, outputs: [1], sums: [], stacked: [0] }]);
  });

  it('knows groups, factors, the bias, and the slots of codes', () => {
    const grouped = layerIn(graphOf(...samples['grouped conv']!));
    expect([grouped.weights[0]!.groups, grouped.weights[0]!.perGroup, grouped.bias]).toEqual([2, 'sums', 2]);
    const [op, sample] = samples['gemm']!;
    const attributes = { alpha: { kind: 'float', value: 0.5 }, beta: { kind: 'float', value: 2 } } as const;
    expect(layerIn(graphOf(op, { ...sample, attributes })).factors).toEqual({ product: 0.5, bias: 2 });
    const coded: Sample = {
      inputs: [[1, 2, 3, 3], [], [], [4, 2, 1, 1], [4], [4], [], []],
      constants: [1, 2, 3, 4, 5, 6, 7],
      dtypes: { ...u8, 4: 'float32', 7: 'uint8' },
    };
    expect(
      layerIn(
        graphOf('QLinearConv', { ...coded, dtypes: { 0: 'uint8', 2: 'uint8', 3: 'uint8', 5: 'uint8', 7: 'uint8' } }),
      ),
    ).toMatchObject({
      weights: [{ slot: 3, scale: 4, zeroPoint: 5, outputs: [0] }],
      bias: 8,
    });
  });

  it('says why a node is no layer', () => {
    const reason = (op: string, sample: Sample) => layerOf(graphOf(op, sample), graphOf(op, sample).nodes[0]!);
    expect(reason('Relu', { inputs: [[2, 3]], constants: [] })).toEqual({ reason: 'Relu works on each element' });
    expect(reason('Transpose', { inputs: [[2, 3]], constants: [] })).toEqual({
      reason: 'Transpose only moves elements',
    });
    expect(
      reason('MatMul', {
        inputs: [
          [2, 3],
          [3, 4],
        ],
        constants: [],
      }),
    ).toEqual({
      reason: 'the weights of MatMul are computed at run time',
    });
    expect(
      reason('acme::Dense', {
        inputs: [
          [2, 3],
          [3, 4],
        ],
        constants: [1],
        result: [2, 4],
      }),
    ).toEqual({
      reason: 'how the axes of acme::Dense relate is not known',
    });
  });

  it.each(Object.entries(samples))('says what the axis rule of the op says: %s', (_, [op, sample]) => {
    const graph = graphOf(op, sample);
    const told = layerByRule(graph, graph.nodes[0]!, axisRules[op as keyof typeof axisRules]); // the samples are of known ops
    if (isRefusal(told)) throw new Error(told.reason);
    const layer = layerIn(graph);
    const rank = (slot: number) => sample.inputs[slot]!.length;
    const result = graph.values.get('y')!.shape!.length;
    const fromStart = layer.weights.map(({ scale: _s, zeroPoint: _z, data, result: made, ...weight }) => ({
      ...weight,
      ...(data && { data: { slot: data.slot, axis: data.axis < 0 ? data.axis + rank(data.slot) : data.axis } }),
      ...(made === undefined ? {} : { result: made < 0 ? made + result : made }),
    }));
    // What the table leaves open (where outputs of recurrent layers and equations lie) only the rule says.
    expect(told.weights).toMatchObject(fromStart);
  });

  it('reads the weight of a custom op from its axis rule', () => {
    const dense: AxisRule = {
      relate(site) {
        const [x, w] = site.inputs;
        const [y] = site.outputs;
        site.same(x!.axes[0]!, y!.axes[0]!);
        site.same(x!.axes[1]!, w!.axes[1]!);
        site.same(w!.axes[0]!, y!.axes[1]!);
        site.role(w, 1, 'sums');
      },
    };
    const graph = graphOf('acme::Dense', {
      inputs: [
        [2, 3],
        [4, 3],
      ],
      constants: [1],
      result: [2, 4],
    });
    expect(layerIn(graph, new Map([['acme::Dense', dense]]))).toMatchObject({
      kind: 'custom',
      weights: [{ ...axes, slot: 1, outputs: [0], sums: [1], data: { slot: 0, axis: 1 }, result: 1 }],
    });
  });
});
