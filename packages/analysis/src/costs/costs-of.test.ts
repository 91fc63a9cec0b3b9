import {
  buildGraph,
  createGraph,
  createNode,
  type Dim,
  floats,
  fromNumbers,
  type Graph,
  int,
  ints,
  scalar,
  sizeOf,
  text,
} from '@espalier/core';
import { describe, expect, test } from 'vitest';
import { costsOf } from './costs-of.js';

const filled = (shape: readonly number[], value = 1) => floats(new Float32Array(sizeOf(shape)).fill(value), shape);

/** conv 3->16 3x3 on 32x32, relu, global pool, gemm 16->10. */
function smallNet(batch: Dim = 'batch'): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', [batch, 3, 32, 32]);
  const w = b.constant('w', filled([16, 3, 3, 3]));
  const c = b.add('Conv', [x, w, b.constant('b', filled([16], 0))], {
    name: 'c',
    attributes: { pads: ints([1, 1, 1, 1]) },
  });
  b.info(c, { dtype: 'float32', shape: [batch, 16, 32, 32] });
  const r = b.info(b.add('Relu', [c], { name: 'r' }), { dtype: 'float32', shape: [batch, 16, 32, 32] });
  const p = b.info(b.add('GlobalAveragePool', [r], { name: 'p' }), { dtype: 'float32', shape: [batch, 16, 1, 1] });
  const f = b.info(b.add('Flatten', [p], { name: 'f' }), { dtype: 'float32', shape: [batch, 16] });
  const y = b.add('Gemm', [f, b.constant('fc', filled([10, 16])), b.constant('fb', filled([10]))], {
    name: 'y',
    attributes: { transB: int(1) },
  });
  b.output(b.info(y, { dtype: 'float32', shape: [batch, 10] }));
  return b.finish();
}

describe('a small network', () => {
  const costs = costsOf(smallNet());

  test('parameters, bytes and zeros are those of its constants', () => {
    expect(costs.parameters).toBe(432 + 16 + 160 + 10);
    expect(costs.nonZero).toBe(432 + 160 + 10);
    expect(costs.bytes).toBe(4 * 618);
  });

  test('a symbolic batch counts as one sample', () => {
    expect(costs.macs).toBe(32 * 32 * 16 * 27 + 160);
    expect(costs.sizes).toEqual({ batch: 1 });
    expect(costsOf(smallNet(), { sizes: { batch: 8 } }).macs).toBe(8 * costs.macs!);
    expect(costsOf(smallNet(4)).macs).toBe(4 * costs.macs!);
  });

  test('bit operations of float32 are MACs times 1024', () => {
    expect(costs.bops).toBe(costs.macs! * 1024);
  });

  test('layers are the nodes that multiply or hold parameters, with their weights', () => {
    expect(costs.layers.map(({ op, weight, parameters, macs }) => ({ op, weight, parameters, macs }))).toEqual([
      { op: 'Conv', weight: 'w', parameters: 448, macs: 442368 },
      { op: 'Gemm', weight: 'fc', parameters: 170, macs: 160 },
    ]);
    expect(costs.nodes).toHaveLength(5);
  });

  test('activations peak where the convolution and the Relu are alive together', () => {
    expect(costs.activations).toEqual({ peakBytes: 2 * 4 * 16 * 1024, node: 'r/Relu', unknown: [] });
  });
});

/** One node with the given shapes. */
function single(
  op: string,
  shapes: { inputs: readonly (readonly Dim[])[]; output: readonly Dim[] },
  attributes: Parameters<typeof createNode>[0]['attributes'] = {},
): Graph {
  const inputs = shapes.inputs.map((_, i) => `i${i}`);
  const values = new Map(shapes.inputs.map((shape, i) => [`i${i}`, { dtype: 'float32' as const, shape }]));
  values.set('y', { dtype: 'float32', shape: shapes.output });
  return createGraph({
    inputs,
    outputs: ['y'],
    values,
    nodes: [createNode({ id: 'n', op, inputs, outputs: ['y'], attributes })],
  });
}

test.each([
  [
    'a grouped convolution',
    'Conv',
    [
      [1, 32, 8, 8],
      [64, 8, 3, 3],
    ],
    [1, 64, 8, 8],
    { group: int(4), pads: ints([1, 1, 1, 1]) },
    64 * 64 * 8 * 9,
  ],
  [
    'a depthwise convolution',
    'Conv',
    [
      [1, 32, 8, 8],
      [32, 1, 3, 3],
    ],
    [1, 32, 4, 4],
    { group: int(32), pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) },
    32 * 16 * 9,
  ],
  [
    'a one-dimensional convolution',
    'Conv',
    [
      [2, 4, 10],
      [8, 4, 5],
    ],
    [2, 8, 6],
    {},
    2 * 8 * 6 * 20,
  ],
  [
    'a transposed convolution',
    'ConvTranspose',
    [
      [1, 8, 4, 4],
      [8, 3, 2, 2],
    ],
    [1, 3, 8, 8],
    {},
    8 * 16 * 3 * 4,
  ],
  [
    'a matrix product',
    'MatMul',
    [
      [5, 7],
      [7, 3],
    ],
    [5, 3],
    {},
    105,
  ],
  [
    'a batched product that broadcasts',
    'MatMul',
    [
      [2, 1, 5, 7],
      [4, 7, 3],
    ],
    [2, 4, 5, 3],
    {},
    8 * 105,
  ],
  ['a vector times a matrix', 'MatMul', [[7], [7, 3]], [3], {}, 21],
  [
    'a Gemm with both operands transposed',
    'Gemm',
    [
      [7, 5],
      [3, 7],
    ],
    [5, 3],
    { transA: int(1), transB: int(1) },
    105,
  ],
  [
    'an Einsum',
    'Einsum',
    [
      [2, 4, 5, 7],
      [2, 4, 6, 7],
    ],
    [2, 4, 5, 6],
    { equation: text('bhid,bhjd->bhij') },
    8 * 5 * 6 * 7,
  ],
  [
    'an Einsum without an arrow',
    'Einsum',
    [
      [5, 7],
      [7, 3],
    ],
    [5, 3],
    { equation: text('ij,jk') },
    105,
  ],
  [
    'an Einsum with an ellipsis',
    'Einsum',
    [
      [2, 5, 7],
      [7, 3],
    ],
    [2, 5, 3],
    { equation: text('...ij, jk -> ...ik') },
    210,
  ],
  [
    'an LSTM',
    'LSTM',
    [
      [6, 2, 3],
      [1, 16, 3],
      [1, 16, 4],
    ],
    [6, 1, 2, 4],
    {},
    6 * 2 * (48 + 64),
  ],
  [
    'a two-way GRU',
    'GRU',
    [
      [6, 2, 3],
      [2, 12, 3],
      [2, 12, 4],
    ],
    [6, 2, 2, 4],
    {},
    12 * (72 + 96),
  ],
  [
    'MatMulNBits',
    'com.microsoft::MatMulNBits',
    [
      [2, 5, 64],
      [8, 2, 16],
      [8, 2],
    ],
    [2, 5, 8],
    { K: int(64), N: int(8) },
    640 * 8,
  ],
  [
    'contrib Attention',
    'com.microsoft::Attention',
    [
      [1, 10, 12],
      [12, 36],
    ],
    [1, 10, 12],
    { num_heads: int(3) },
    10 * 12 * 36 + 100 * 24,
  ],
  [
    'MultiHeadAttention',
    'com.microsoft::MultiHeadAttention',
    [
      [1, 10, 12],
      [1, 7, 12],
      [1, 7, 12],
    ],
    [1, 10, 12],
    { num_heads: int(3) },
    10 * 7 * 24,
  ],
  [
    'standard Attention with heads as an axis',
    'Attention',
    [
      [1, 3, 10, 4],
      [1, 3, 7, 4],
      [1, 3, 7, 5],
    ],
    [1, 3, 10, 5],
    {},
    3 * 70 * 9,
  ],
] as const)('MACs of %s are those counted by hand', (_, op, inputs, output, attributes, expected) => {
  expect(costsOf(single(op, { inputs, output }, attributes)).macs).toBe(expected);
});

describe('what is not known', () => {
  test('a missing shape gives no MACs and says why, never zero', () => {
    const costs = costsOf(
      single('MatMul', {
        inputs: [
          ['batch', 'time', 8],
          [8, 3],
        ],
        output: ['batch', 'time', 3],
      }),
    );
    expect(costs.macs).toBeUndefined();
    expect(costs.bops).toBeUndefined();
    expect(costs.unknown).toEqual([{ node: 'n', op: 'MatMul', reason: 'the shape of "i0" is [1, time, 8]' }]);
    const sized = costsOf(
      single('MatMul', {
        inputs: [
          ['batch', 'time', 8],
          [8, 3],
        ],
        output: ['batch', 'time', 3],
      }),
      {
        sizes: { time: 10 },
      },
    );
    expect(sized.macs).toBe(240);
  });

  test('a foreign op is listed', () => {
    const costs = costsOf(single('acme::Magic', { inputs: [[1]], output: [1] }));
    expect(costs.unknown).toEqual([{ node: 'n', op: 'acme::Magic', reason: 'no rule counts the op acme::Magic' }]);
    expect(costs.macs).toBeUndefined();
  });

  test('an If counts its costlier branch, with the weights inside; a Loop that multiplies is listed', () => {
    const branch = (n: number) => {
      const info = { dtype: 'float32' as const, shape: [2, n] };
      return createGraph({
        inputs: [],
        outputs: ['z'],
        constants: new Map([['k', filled([4, n])]]),
        values: new Map([['z', info]]),
        nodes: [createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'k'], outputs: ['z'] })],
      });
    };
    const graph = (op: string) =>
      createGraph({
        inputs: ['x', 'go'],
        outputs: ['y'],
        values: new Map([
          ['x', { dtype: 'float32', shape: [2, 4] }],
          ['go', { dtype: 'bool', shape: [] }],
        ]),
        nodes: [
          createNode({
            id: 'n',
            op,
            inputs: ['go'],
            outputs: ['y'],
            attributes: {
              then_branch: { kind: 'graph', value: branch(3) },
              else_branch: { kind: 'graph', value: branch(5) },
            },
          }),
        ],
      });
    const costs = costsOf(graph('If'));
    expect(costs.macs).toBe(40);
    expect(costs.parameters).toBe(12 + 20);
    expect(costsOf(graph('Loop')).unknown[0]?.reason).toContain('how often');
  });
});

describe('parameters', () => {
  test('a shared weight counts once, with the first reader', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [1, 4]);
    const w = b.constant('w', filled([4, 4]));
    const h = b.info(b.add('MatMul', [x, w]), { dtype: 'float32', shape: [1, 4] });
    b.output(b.info(b.add('MatMul', [h, w]), { dtype: 'float32', shape: [1, 4] }));
    const costs = costsOf(b.finish());
    expect(costs.parameters).toBe(16);
    expect(costs.layers.map((layer) => [layer.weight, layer.parameters])).toEqual([
      ['w', 16],
      ['w', 0],
    ]);
  });

  test('running statistics, shapes, scales and factors of formulas are not parameters', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [1, 4, 2, 2]);
    const four = (name: string) => b.constant(name, filled([4]));
    const n = b.add('BatchNormalization', [x, four('g'), four('s'), four('mean'), four('var')]);
    const h = b.add('Mul', [n, b.constant('half', scalar(0.5))]);
    b.output(b.add('Reshape', [h, b.constant('to', fromNumbers('int64', [2], [1, 16]))]));
    expect(costsOf(b.finish()).parameters).toBe(8);
  });
});

/** Gemm in QDQ form: uint8 activations, per-channel int8 weights with zeros. */
function qdq(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 4]);
  const q = b.info(
    b.add('QuantizeLinear', [x, b.constant('sx', scalar(0.1)), b.constant('zx', fromNumbers('uint8', [], [3]))]),
    { dtype: 'uint8', shape: [1, 4] },
  );
  const d = b.info(b.add('DequantizeLinear', [q, 'sx', 'zx']), { dtype: 'float32', shape: [1, 4] });
  const w = b.constant('w_quantized', fromNumbers('int8', [2, 4], [0, 1, 2, 3, 0, 0, -1, 5]));
  const real = b.info(
    b.add('DequantizeLinear', [w, b.constant('w_scale', floats([0.5, 0.25]))], {
      name: 'w_dequantized',
      attributes: { axis: int(0) },
    }),
    { dtype: 'float32', shape: [2, 4] },
  );
  const bias = b.add('DequantizeLinear', [
    b.constant('b_quantized', fromNumbers('int32', [2], [7, 0])),
    b.constant('b_scale', floats([0.05, 0.025])),
  ]);
  b.output(
    b.info(b.add('Gemm', [d, real, bias], { name: 'y', attributes: { transB: int(1) } }), {
      dtype: 'float32',
      shape: [1, 2],
    }),
  );
  return b.finish();
}

describe('a quantized graph', () => {
  const costs = costsOf(qdq());
  const layer = costs.layers[0];

  test('has the parameters of its codes, bit widths from before the DequantizeLinear, and zeros at the zero point', () => {
    expect(costs.layers).toHaveLength(1);
    expect(layer).toMatchObject({ op: 'Gemm', weight: 'w_quantized', parameters: 10, nonZero: 6, macs: 8 });
    expect(layer).toMatchObject({ weightBits: 8, activationBits: 8, bops: 8 * 64 });
  });

  test('counts the bytes of scales and zero points where they are used', () => {
    expect(layer?.bytes).toBe(8 + 8 + 8 + 8);
    expect(costs.bytes).toBe(32 + 4 + 1);
  });

  test('packed 4-bit blocks hold N times K parameters', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [1, 20]);
    // One row, two blocks of 16 (the last padded from 20 to 32): codes 8 are zero.
    const codes = new Uint8Array(16).fill(0x88);
    codes[0] = 0x98;
    const w = b.constant('w', fromNumbers('uint8', [1, 2, 8], codes));
    const attributes = { K: int(20), N: int(1), bits: int(4), block_size: int(16) };
    b.output(
      b.info(b.add('com.microsoft::MatMulNBits', [x, w, b.constant('s', filled([1, 2]))], { attributes }), {
        dtype: 'float32',
        shape: [1, 1],
      }),
    );
    const packed = costsOf(b.finish());
    expect(packed).toMatchObject({ parameters: 20, nonZero: 1, macs: 20, bytes: 24 });
    expect(packed.layers[0]).toMatchObject({ weightBits: 4, activationBits: 32, bops: 20 * 128 });
  });
});
