import {
  checkGraph,
  evidenceOf,
  float,
  floats,
  type Graph,
  int,
  ints,
  type Note,
  needKey,
  noEvidence,
  text,
  toNumbers,
} from '@espalier/core';
import { expect, test } from 'vitest';
import { float32, type Line, network, normals } from '../../test/networks.js';
import { evidenceFor, fusedOps, run, sameRange, tryOut } from '../../test/oracle.js';
import { entropy } from '../observers/entropy.js';
import { minmax } from '../observers/minmax.js';
import { mse } from '../observers/mse.js';
import { percentile } from '../observers/percentile.js';
import { staticQuantizer } from './static.js';

const draw = normals(3);
const quantizer = staticQuantizer({ activations: { observer: minmax() } });
const image = float32(1, 8, 12, 12);
const same = { pads: ints([1, 1, 1, 1]) };
const feeds = (shape: readonly number[]) => [1, 2].map(() => new Map([['x', draw(shape)]]));
const images = feeds([1, 8, 12, 12]);
const outcomes = (notes: readonly Note[]) => Object.fromEntries(notes.map(({ node, outcome }) => [node, outcome]));

const residual = network({
  inputs: { x: image },
  outputs: ['y'],
  constants: {
    w1: draw([16, 8, 3, 3], 0.1),
    b1: draw([16]),
    w2: draw([16, 16, 3, 3], 0.1),
    b2: draw([16]),
    wf: draw([10, 16]),
    bf: draw([10]),
  },
  lines: [
    ['c1', 'Conv', ['x', 'w1', 'b1'], ['a'], same],
    ['r1', 'Relu', ['a'], ['ar']],
    ['c2', 'Conv', ['ar', 'w2', 'b2'], ['b'], same],
    ['add', 'Add', ['b', 'ar'], ['s']],
    ['r2', 'Relu', ['s'], ['sr']],
    ['gap', 'GlobalAveragePool', ['sr'], ['p']],
    ['flat', 'Flatten', ['p'], ['f']],
    ['fc', 'Gemm', ['f', 'wf', 'bf'], ['y'], { transB: int(1) }],
  ],
});

test('a residual network runs on integers from its input to its logits', async () => {
  const { graph, ops, snrDb, notes } = await tryOut(residual, quantizer, images);
  expect(ops).toEqual({
    QuantizeLinear: 1,
    QLinearConv: 2,
    'com.microsoft::QLinearAdd': 1,
    'com.microsoft::QLinearGlobalAveragePool': 1,
    Flatten: 1,
    'com.microsoft::QGemm': 1,
  });
  expect(snrDb.get('y')).toBeGreaterThan(30);
  expect(new Set(Object.values(outcomes(notes)))).toEqual(new Set(['quantized']));
  expect(notes.length).toBe(residual.nodes.length);
  checkGraph(graph);
});

test('calibration is asked for exactly the values that get a grid of their own', () => {
  expect(quantizer(residual).needs).toEqual(
    ['x', 'ar', 'b', 'sr', 'p'].map((value) => ({ statistic: 'range', value })),
  );
  const withHistogram = staticQuantizer({ activations: { observer: percentile({ bins: 512 }) } });
  expect(withHistogram(residual).needs[0]).toEqual({ statistic: 'histogram', value: 'x', bins: 512 });
});

test('missing evidence names the value', () => {
  expect(() => quantizer(residual).apply(noEvidence)).toThrow(/value "x".*calibrated range/);
});

test('values keep their names, and graph inputs and outputs their types', () => {
  const { graph } = quantizer(residual).apply(sameRange(quantizer(residual).needs, -1, 2));
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of residual.nodes) expect(made.has(node.outputs[0])).toBe(true);
  expect(graph.inputs).toEqual(['x']);
  expect(graph.outputs).toEqual(['y']);
  expect(graph.values.get('y')?.dtype).toBe('float32');
  expect(graph.constants.has('w1')).toBe(false);
  expect(graph.constants.get('w1_quantized')?.dtype).toBe('int8');
  expect(graph.constants.get('b1_quantized')?.dtype).toBe('int32');
  expect(graph.constants.get('w1_scale')?.shape).toEqual([16]);
  expect(graph.constants.get('x_scale')?.shape).toEqual([]);
});

test('the bias has the scale of its input times that of its weights', () => {
  const { graph } = quantizer(residual).apply(sameRange(quantizer(residual).needs, -1, 2));
  const at = (name: string) => toNumbers(graph.constants.get(name)!);
  const [input] = at('x_scale');
  const bias = toNumbers(residual.constants.get('b1')!);
  at('b1_scale').forEach((scale, i) => {
    expect(scale).toBe(Math.fround(input! * at('w1_scale')[i]!));
    expect(Math.abs(at('b1_quantized')[i]! * scale - bias[i]!)).toBeLessThanOrEqual(scale * 0.51);
  });
});

test('quantizing what is quantized leaves it, and says so', () => {
  const once = quantizer(residual).apply(sameRange(quantizer(residual).needs, -1, 2)).graph;
  expect(quantizer(once).needs).toEqual([]);
  const twice = quantizer(once).apply(noEvidence);
  expect(twice.graph).toBe(once);
  expect(new Set(twice.notes.map((note) => note.outcome))).toEqual(new Set(['kept']));
});

test('equal inputs give equal results', () => {
  const evidence = sameRange(quantizer(residual).needs, -1, 2);
  expect(quantizer(residual).apply(evidence)).toEqual(quantizer(residual).apply(evidence));
});

const fused: readonly (readonly [
  name: string,
  parts: {
    readonly lines: readonly Line[];
    readonly constants: Parameters<typeof network>[0]['constants'];
    readonly input?: readonly number[];
    readonly outputs?: readonly string[];
  },
  ops: Readonly<Record<string, number>>,
])[] = [
  [
    'a convolution that writes the output of the graph',
    { lines: [['c', 'Conv', ['x', 'w', 'b'], ['y'], same]], constants: { w: draw([4, 8, 3, 3], 0.1), b: draw([4]) } },
    { QuantizeLinear: 1, QLinearConv: 1, DequantizeLinear: 1 },
  ],
  [
    'inverted bottleneck with Clip at 6 and a depthwise convolution',
    {
      lines: [
        ['c1', 'Conv', ['x', 'w1', 'b'], ['a']],
        ['r1', 'Clip', ['a', 'zero', 'six'], ['ar']],
        ['c2', 'Conv', ['ar', 'w2'], ['b2'], { ...same, group: int(16) }],
        ['r2', 'Clip', ['b2', 'zero', 'six'], ['br']],
        ['c3', 'Conv', ['br', 'w3'], ['c']],
        ['add', 'Add', ['c', 'x'], ['s']],
        ['c4', 'Conv', ['s', 'w3b'], ['y']],
      ],
      constants: {
        w1: draw([16, 8, 1, 1]),
        b: draw([16]),
        w2: draw([16, 1, 3, 3], 0.5),
        w3: draw([8, 16, 1, 1], 0.3),
        w3b: draw([4, 8, 1, 1], 0.3),
        zero: floats([0], []),
        six: floats([6], []),
      },
    },
    { QuantizeLinear: 1, QLinearConv: 4, 'com.microsoft::QLinearAdd': 1, DequantizeLinear: 1 },
  ],
  [
    'Gemm with its weight either way round, factors worked in',
    {
      lines: [
        ['g1', 'Gemm', ['x', 'w1', 'b'], ['h'], { alpha: float(0.5), beta: float(2) }],
        ['r', 'Relu', ['h'], ['hr']],
        ['g2', 'Gemm', ['hr', 'w2'], ['y'], { transB: int(1) }],
      ],
      constants: { w1: draw([32, 64], 0.2), b: draw([1, 64]), w2: draw([10, 64]) },
      input: [5, 32],
    },
    { QuantizeLinear: 1, 'com.microsoft::QGemm': 2 },
  ],
  [
    'MatMul with constant weights, bias added, and of two activations',
    {
      lines: [
        ['m1', 'MatMul', ['x', 'w1'], ['h']],
        ['a1', 'Add', ['h', 'b'], ['hb']],
        ['r', 'Relu', ['hb'], ['hr']],
        ['m2', 'MatMul', ['hr', 'w2'], ['z']],
        ['t', 'Transpose', ['z'], ['zt'], { perm: ints([0, 2, 1]) }],
        ['m3', 'MatMul', ['z', 'zt'], ['y']],
      ],
      constants: { w1: draw([32, 64], 0.2), b: draw([64]), w2: draw([64, 10]) },
      input: [2, 5, 32],
    },
    {
      QuantizeLinear: 1,
      QLinearMatMul: 2,
      'com.microsoft::QLinearAdd': 1,
      Transpose: 1,
      'com.microsoft::MatMulIntegerToFloat': 1,
    },
  ],
  [
    'channels-last data with transposes around convolutions',
    {
      lines: [
        ['t1', 'Transpose', ['x'], ['xt'], { perm: ints([0, 3, 1, 2]) }],
        ['c1', 'Conv', ['xt', 'w1', 'b'], ['a'], same],
        ['r1', 'Relu', ['a'], ['ar']],
        ['t2', 'Transpose', ['ar'], ['at'], { perm: ints([0, 2, 3, 1]) }],
        ['t3', 'Transpose', ['at'], ['att'], { perm: ints([0, 3, 1, 2]) }],
        ['mp', 'MaxPool', ['att'], ['m'], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
        ['c2', 'Conv', ['m', 'w2'], ['y']],
      ],
      constants: { w1: draw([16, 8, 3, 3], 0.1), b: draw([16]), w2: draw([4, 16, 1, 1]) },
      input: [1, 12, 12, 8],
    },
    { QuantizeLinear: 1, Transpose: 1, QLinearConv: 2, MaxPool: 1, DequantizeLinear: 1 },
  ],
  [
    'concatenation, pooling, gates, split and resize between convolutions',
    {
      lines: [
        ['c1', 'Conv', ['x', 'w1', 'b'], ['a']],
        ['r1', 'Relu', ['a'], ['ar']],
        ['c2', 'Conv', ['x', 'w2'], ['c']],
        ['cat', 'Concat', ['ar', 'c', 'x'], ['j'], { axis: int(1) }],
        ['pool', 'AveragePool', ['j'], ['p'], { kernel_shape: ints([2, 2]) }],
        ['c3', 'Conv', ['p', 'w3'], ['z']],
        ['gate', 'Sigmoid', ['z'], ['g']],
        ['mul', 'Mul', ['z', 'g'], ['zg']],
        ['leaky', 'LeakyRelu', ['zg'], ['l']],
        ['c4', 'Conv', ['l', 'w2'], ['o']],
        ['split', 'Split', ['o'], ['o1', 'o2'], { axis: int(1) }],
        ['c5', 'Conv', ['o1', 'w5'], ['y1']],
        ['big', 'Resize', ['o2', undefined, 'sizes'], ['o3'], { mode: text('nearest') }],
        ['c6', 'Conv', ['o3', 'w5'], ['y2']],
      ],
      constants: {
        w1: draw([8, 8, 1, 1]),
        b: draw([8]),
        w2: draw([8, 8, 1, 1]),
        w3: draw([8, 24, 1, 1], 0.3),
        w5: draw([4, 4, 1, 1]),
        sizes: floats([1, 1, 2, 2]),
      },
      outputs: ['y1', 'y2'],
    },
    {
      QuantizeLinear: 1,
      QLinearConv: 6,
      'com.microsoft::QLinearConcat': 1,
      'com.microsoft::QLinearAveragePool': 1,
      'com.microsoft::QLinearSigmoid': 1,
      'com.microsoft::QLinearMul': 1,
      'com.microsoft::QLinearLeakyRelu': 1,
      Split: 1,
      Resize: 1,
      DequantizeLinear: 2,
    },
  ],
  [
    'hard gates, as exported in one node or two, and what they scale',
    {
      lines: [
        ['c1', 'Conv', ['x', 'w', 'b'], ['a'], same],
        ['hs', 'HardSwish', ['a'], ['h']],
        ['gap', 'GlobalAveragePool', ['h'], ['p']],
        ['c2', 'Conv', ['p', 'w1'], ['q']],
        ['gate', 'HardSigmoid', ['q'], ['g'], { alpha: float(1 / 6), beta: float(0.5) }],
        ['mul', 'Mul', ['g', 'h'], ['s']],
        ['low', 'HardSigmoid', ['s'], ['t'], { beta: float(-0.25) }],
        ['c3', 'Conv', ['t', 'w1'], ['y']],
      ],
      constants: { w: draw([8, 8, 3, 3], 0.3), b: draw([8]), w1: draw([8, 8, 1, 1]) },
    },
    {
      QuantizeLinear: 1,
      QLinearConv: 3,
      'com.microsoft::QLinearAdd': 3,
      'com.microsoft::QLinearMul': 2,
      'com.microsoft::QLinearGlobalAveragePool': 1,
      DequantizeLinear: 1,
    },
  ],
  [
    'normalization before a convolution, which no earlier one can take up',
    {
      lines: [
        ['c1', 'Conv', ['x', 'w'], ['a'], same],
        ['cat', 'Concat', ['x', 'a'], ['j'], { axis: int(1) }],
        ['bn', 'BatchNormalization', ['j', 's', 'm', 'm', 's'], ['n']],
        ['r', 'Relu', ['n'], ['nr']],
        ['c2', 'Conv', ['nr', 'w2'], ['y']],
      ],
      constants: {
        w: draw([8, 8, 3, 3], 0.3),
        w2: draw([4, 16, 1, 1]),
        m: draw([16]),
        s: floats(draw([16]).data.map((each) => Math.abs(each) + 0.5)),
      },
    },
    { QuantizeLinear: 1, QLinearConv: 3, 'com.microsoft::QLinearConcat': 1, DequantizeLinear: 1 },
  ],
  [
    'a transposed convolution stays float, its weights folded back at load',
    {
      lines: [
        ['ct', 'ConvTranspose', ['x', 'w', 'b'], ['a'], { strides: ints([2, 2]) }],
        ['r', 'Relu', ['a'], ['ar']],
        ['c', 'Conv', ['ar', 'w2'], ['y']],
      ],
      constants: { w: draw([8, 16, 2, 2], 0.1), b: draw([16]), w2: draw([4, 16, 1, 1]) },
    },
    { ConvTranspose: 1, QuantizeLinear: 1, QLinearConv: 1, DequantizeLinear: 1 },
  ],
];

test.each(fused)(
  'onnxruntime fuses %s',
  async (_, { lines, constants, input = [1, 8, 12, 12], outputs = ['y'] }, ops) => {
    const graph = network({ inputs: { x: float32(...input) }, outputs, constants: constants ?? {}, lines });
    const trial = await tryOut(graph, quantizer, feeds(input));
    const { Relu: _dropped, ...found } = trial.ops;
    expect(found).toEqual(ops);
    for (const decibels of trial.snrDb.values()) expect(decibels).toBeGreaterThan(25);
    checkGraph(trial.graph);
  },
);

test.each([
  ['percentile', staticQuantizer({ activations: { observer: percentile() } })],
  ['mse', staticQuantizer({ activations: { observer: mse() } })],
  ['entropy', staticQuantizer({ activations: { observer: entropy() } })],
  ['symmetric', staticQuantizer({ activations: { observer: minmax(), signed: true, symmetric: true } })],
  ['7-bit weights', staticQuantizer({ activations: { observer: minmax() }, reduceRange: true })],
  [
    'asymmetric weights',
    staticQuantizer({ activations: { observer: minmax() }, weights: { granularity: 'tensor', symmetric: false } }),
  ],
  ['clipped weights', staticQuantizer({ activations: { observer: minmax() }, weights: { clip: 'mse' } })],
] as const)('the option works on onnxruntime: %s', async (_, each) => {
  const { ops, snrDb } = await tryOut(residual, each, images);
  expect(ops['QLinearConv']).toBe(2);
  expect(snrDb.get('y')).toBeGreaterThan(25);
});

test('int8 activations load and run everywhere, fused only where the processor has int8 kernels', async () => {
  const each = staticQuantizer({ activations: { observer: minmax(), signed: true } });
  const { graph, snrDb } = await tryOut(residual, each, images);
  expect(graph.constants.get('ar_zero_point')).toMatchObject({ dtype: 'int8', data: Int8Array.of(-128) });
  expect(snrDb.get('y')).toBeGreaterThan(25);
});

test('16-bit activations and 4-bit weights load and run, without integer kernels', async () => {
  const wide = await tryOut(residual, staticQuantizer({ activations: { observer: minmax(), bits: 16 } }), images);
  expect(wide.graph.constants.get('x_zero_point')?.dtype).toBe('uint16');
  expect(wide.graph.opsets.get('')).toBe(21);
  expect(wide.snrDb.get('y')).toBeGreaterThan(35);
  const narrow = await tryOut(
    residual,
    staticQuantizer({ activations: { observer: minmax() }, weights: { bits: 4 } }),
    images,
  );
  expect(narrow.graph.constants.get('w1_quantized')?.dtype).toBe('int4');
  expect(narrow.snrDb.get('y')).toBeGreaterThan(10);
});

test('outputs are quantized on request only', async () => {
  const all = staticQuantizer({ activations: { observer: minmax() }, outputs: true });
  expect(all(residual).needs.map((need) => 'value' in need && need.value)).toContain('y');
  const { ops } = await tryOut(residual, all, images);
  expect(ops['DequantizeLinear']).toBe(1);
});

test('include, exclude, only and ignore leave nodes float and say so', () => {
  const reasons = (options: object) => {
    const each = staticQuantizer({ activations: { observer: minmax() }, ...options });
    const { notes } = each(residual).apply(sameRange(each(residual).needs, -1, 2));
    return Object.fromEntries(
      notes.filter(({ outcome }) => outcome === 'float').map(({ node, reason }) => [node, reason]),
    );
  };
  expect(reasons({ ignore: ['c*'] })['c1']).toMatch(/`ignore`/);
  expect(reasons({ only: ['fc'] })['c2']).toMatch(/`only`/);
  expect(reasons({ exclude: ['Gemm'] })['fc']).toBe('Gemm is excluded.');
  expect(Object.keys(reasons({ include: ['Conv', 'Relu'] }))).toEqual(['add', 'r2', 'gap', 'flat', 'fc']);
});

test('nothing to quantize gives the very graph back, with a reason for each node', () => {
  const graph = network({ inputs: { x: image }, outputs: ['y'], lines: [['t', 'Tanh', ['x'], ['y']]] });
  const outcome = quantizer(graph).apply(noEvidence);
  expect(outcome.graph).toBe(graph);
  expect(outcome.notes).toEqual([
    { node: 't', op: 'Tanh', outcome: 'float', reason: 'Onnxruntime has no fused integer kernel for Tanh.' },
  ]);
});

test('a lone join between float ops stays float: a pair around it would only cost', () => {
  const graph = network({
    inputs: { x: image },
    outputs: ['y'],
    constants: { w: draw([4, 8, 1, 1]) },
    lines: [
      ['t', 'Tanh', ['x'], ['a']],
      ['add', 'Add', ['a', 'x'], ['b']],
      ['e', 'Exp', ['b'], ['c']],
      ['conv', 'Conv', ['c', 'w'], ['y']],
    ],
  });
  const { notes } = quantizer(graph).apply(sameRange(quantizer(graph).needs, -1, 1));
  expect(outcomes(notes)).toEqual({ t: 'float', add: 'float', e: 'float', conv: 'quantized' });
});

test('a bias that would overflow int32 raises the scale of its weights', async () => {
  const graph = network({
    inputs: { x: float32(1, 2, 4, 4) },
    outputs: ['y'],
    constants: { w: floats([1e-7, 1e-7, 1, 1], [2, 2, 1, 1]), b: floats([3000, -5]) },
    lines: [['c', 'Conv', ['x', 'w', 'b'], ['y']]],
  });
  const trial = await tryOut(graph, quantizer, feeds([1, 2, 4, 4]));
  const scale = toNumbers(trial.graph.constants.get('w_scale')!);
  const input = toNumbers(trial.graph.constants.get('x_scale')!)[0]!;
  expect(scale[0]! * input).toBeGreaterThanOrEqual((2 * 3000) / (2 ** 32 - 2));
  expect(scale[1]).toBe(Math.fround(1 / 127));
  expect(trial.snrDb.get('y')).toBeGreaterThan(40);
});

test('weights shared by nodes whose inputs share a scale are stored once, biases too', () => {
  const graph = network({
    inputs: { x: image },
    outputs: ['y', 'z'],
    constants: { w: draw([8, 8, 1, 1]), b: draw([8]) },
    lines: [
      ['c1', 'Conv', ['x', 'w', 'b'], ['y']],
      ['c2', 'Conv', ['x', 'w', 'b'], ['z']],
    ],
  });
  const { graph: quantized } = quantizer(graph).apply(sameRange(quantizer(graph).needs, -1, 1));
  const dtypes = [...quantized.constants.values()].filter(({ shape }) => shape.length === 4).length;
  expect(dtypes).toBe(1);
});

test('a bias shared by inputs of different scales is stored for each', async () => {
  const graph = network({
    inputs: { x: image },
    outputs: ['y'],
    constants: { w: draw([8, 8, 1, 1]), b: draw([8]) },
    lines: [
      ['c1', 'Conv', ['x', 'w', 'b'], ['a']],
      ['c2', 'Conv', ['a', 'w', 'b'], ['y']],
    ],
  });
  const { graph: quantized, snrDb } = await tryOut(graph, quantizer, images);
  expect(
    [...quantized.constants.values()].filter(({ dtype, shape }) => dtype === 'int32' && shape[0] === 8),
  ).toHaveLength(4);
  expect([...quantized.constants.keys()].filter((name) => name.startsWith('w_quantized'))).toHaveLength(1);
  expect(snrDb.get('y')).toBeGreaterThan(25);
});

test('a float reader of an integer result reads it dequantized, a float reader of a float value reads that', async () => {
  const graph = network({
    inputs: { x: image },
    outputs: ['y', 'z'],
    constants: { w: draw([8, 8, 1, 1]) },
    lines: [
      ['c1', 'Conv', ['x', 'w'], ['a']],
      ['tanh', 'Tanh', ['a'], ['y']],
      ['tanx', 'Tanh', ['x'], ['z']],
    ],
  });
  const { graph: quantized, ops, snrDb } = await tryOut(graph, quantizer, images);
  const reads = (id: string) => quantized.nodes.find((node) => node.id === id)?.inputs;
  expect(reads('tanh')).toEqual(['a_dequantized']);
  expect(reads('tanx')).toEqual(['x']);
  expect(ops['QLinearConv']).toBe(1);
  expect(snrDb.get('z')).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ['weights computed at run time', { lines: [['c', 'Conv', ['x', 'x'], ['y']]] as Line[] }, /computed at run time/],
  [
    'a batch norm in training mode',
    {
      lines: [['b', 'BatchNormalization', ['x', 's', 's', 's', 's'], ['y'], { training_mode: int(1) }]] as Line[],
      constants: { s: floats(new Float32Array(8).fill(1)) },
    },
    /training mode/,
  ],
  ['a custom op', { lines: [['u', 'acme::Thing', ['x'], ['y']]] as Line[] }, /custom op/],
  [
    'NaN among the weights',
    {
      lines: [['c', 'Conv', ['x', 'w'], ['y']]] as Line[],
      constants: { w: floats(new Float32Array(64).fill(Number.NaN), [8, 8, 1, 1]) },
    },
    /NaN/,
  ],
] as const)('the note says why a node stays float: %s', (_, parts, reason) => {
  const { notes, graph } = quantizer(network({ inputs: { x: image }, outputs: ['y'], ...parts })).apply(noEvidence);
  expect(notes[0]).toMatchObject({ outcome: 'float', reason: expect.stringMatching(reason) });
  expect(graph.nodes).toHaveLength(1);
});

test('values that are not finite leave their readers float instead of failing', () => {
  const needs = quantizer(residual).needs;
  const answers = new Map(needs.map((need) => [needKey(need), { min: -1, max: 1 }]));
  answers.set(needKey({ statistic: 'range' as const, ...{ value: 'x' } }), { min: -1, max: 3e38 });
  const { notes } = quantizer(residual).apply(evidenceOf(answers, 1));
  expect(outcomes(notes)['c1']).toBe('float');
  expect(outcomes(notes)['c2']).toBe('quantized');
});

test('options that contradict each other are refused with a way out', () => {
  const observer = minmax();
  expect(() => staticQuantizer({ activations: { observer }, weights: { symmetric: false } })).toThrow(/granularity/);
});

test('the reduced range is that of 7 bits; narrower weights are within it anyway', () => {
  const low = (options: object) =>
    staticQuantizer({ activations: { observer: minmax() }, ...options })(residual)
      .apply(evidenceOf(new Map(quantizer(residual).needs.map((need) => [needKey(need), { min: -1, max: 1 }])), 1))
      .graph.constants.get('w1_quantized')!;
  expect(Math.max(...toNumbers(low({ reduceRange: true })))).toBe(64);
  expect(low({ reduceRange: true, weights: { bits: 5 } })).toEqual(low({ weights: { bits: 5 } }));
});

test('models below opset 13 are brought up to it first', async () => {
  const graph: Graph = network({
    inputs: { x: image },
    outputs: ['y'],
    constants: { w: draw([8, 8, 1, 1]) },
    lines: [
      ['c', 'Conv', ['x', 'w'], ['a']],
      ['r', 'Clip', ['a'], ['b'], { min: float(0), max: float(6) }],
      ['s', 'Squeeze', ['b'], ['q'], { axes: ints([0]) }],
      ['u', 'Unsqueeze', ['q'], ['v'], { axes: ints([0]) }],
      ['c2', 'Conv', ['v', 'w'], ['y']],
    ],
    opset: 9,
  });
  const { ops, snrDb, graph: quantized } = await tryOut(graph, quantizer, images);
  expect(quantized.opsets.get('')).toBe(13);
  expect(ops['QLinearConv']).toBe(2);
  expect(snrDb.get('y')).toBeGreaterThan(25);
});

test('an element move whose result only float ops read stays float, and the file still runs', async () => {
  const graph = network({
    inputs: { x: image },
    outputs: ['y'],
    constants: { w: draw([8, 8, 1, 1]) },
    lines: [
      ['c', 'Conv', ['x', 'w'], ['a']],
      ['t', 'Transpose', ['a'], ['b'], { perm: ints([0, 2, 3, 1]) }],
      ['e', 'Tanh', ['b'], ['y']],
    ],
  });
  const evidence = await evidenceFor(graph, quantizer(graph).needs, images);
  const outcome = quantizer(graph).apply(evidence);
  expect(outcomes(outcome.notes)).toEqual({ c: 'quantized', t: 'float', e: 'float' });
  expect((await fusedOps(outcome.graph))['QLinearConv']).toBe(1);
  expect((await run(outcome.graph, images[0]!)).get('y')?.shape).toEqual([1, 12, 12, 8]);
});

test('a residual stream between matrix products that only float ops read stays float', async () => {
  const size = 48;
  const block = (n: number, from: string, to: string): readonly Line[] => [
    [`norm${n}`, 'LayerNormalization', [from, 'g'], [`n${n}`], { axis: int(-1) }],
    [`up${n}`, 'MatMul', [`n${n}`, `u${n}`], [`h${n}`]],
    [`relu${n}`, 'Relu', [`h${n}`], [`r${n}`]],
    [`down${n}`, 'MatMul', [`r${n}`, `d${n}`], [`o${n}`]],
    [`add${n}`, 'Add', [`o${n}`, from], [to]],
  ];
  const graph = network({
    inputs: { x: float32(1, 9, size) },
    outputs: ['y'],
    constants: {
      g: floats(new Float32Array(size).fill(1), [size]),
      ...Object.fromEntries(['p', 'u1', 'd1', 'u2', 'd2'].map((name) => [name, draw([size, size], 0.2)])),
    },
    lines: [
      ['stem', 'MatMul', ['x', 'p'], ['s0']],
      ...block(1, 's0', 's1'),
      ...block(2, 's1', 's2'),
      ['last', 'LayerNormalization', ['s2', 'g'], ['y'], { axis: int(-1) }],
    ],
  });
  const { notes } = await tryOut(graph, quantizer, [new Map([['x', draw([1, 9, size])]])]);
  const fates = outcomes(notes);
  expect(fates).toMatchObject({ add1: 'float', add2: 'float', up1: 'quantized', down1: 'quantized', up2: 'quantized' });
});
