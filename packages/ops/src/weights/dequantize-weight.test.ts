import { costsOf } from '@espalier/analysis';
import { buildGraph, createGraph, createNode, floats, fromNumbers, int, type Tensor } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countZeros } from './count-zeros.js';
import { transposedWeight, weightOf } from './dequantize-weight.js';

function dequantized(codes: Tensor, scale: Tensor, options: { zero?: Tensor; axis?: number; block?: number } = {}) {
  const constants = new Map([
    ['q', codes],
    ['s', scale],
  ]);
  if (options.zero) constants.set('z', options.zero);
  const attributes = {
    ...(options.axis !== undefined ? { axis: int(options.axis) } : {}),
    ...(options.block !== undefined ? { block_size: int(options.block) } : {}),
  };
  const inputs = ['q', 's', ...(options.zero ? ['z'] : [])];
  return createGraph({
    inputs: [],
    outputs: ['w'],
    constants,
    nodes: [createNode({ id: 'd', op: 'DequantizeLinear', inputs, outputs: ['w'], attributes })],
  });
}
const valuesOf = (graph: ReturnType<typeof dequantized>) => Array.from(weightOf(graph, 'q')!.values);

describe('DequantizeLinear', () => {
  test('with one scale and zero point', () => {
    const graph = dequantized(fromNumbers('uint8', [4], [0, 1, 2, 3]), floats([0.5], []), {
      zero: fromNumbers('uint8', [], [1]),
    });
    expect(valuesOf(graph)).toEqual([-0.5, 0, 0.5, 1]);
    expect(countZeros(graph, 'q')).toBe(1);
  });

  test('with a scale for each index of an axis', () => {
    const codes = fromNumbers('int8', [2, 3], [1, 2, 3, 4, 5, 6]);
    expect(valuesOf(dequantized(codes, floats([1, 10]), { axis: 0 }))).toEqual([1, 2, 3, 40, 50, 60]);
    expect(valuesOf(dequantized(codes, floats([1, 10, 100]), { axis: -1 }))).toEqual([1, 20, 300, 4, 50, 600]);
  });

  test('with a scale for each block along an axis', () => {
    const codes = fromNumbers('int4', [3, 2], [1, 2, 3, 4, 5, -6]);
    const graph = dequantized(codes, floats([1, 10, 100, 1000], [2, 2]), { axis: 0, block: 2 });
    expect(valuesOf(graph)).toEqual([1, 20, 3, 40, 500, -6000]);
  });

  test('scales that do not fit make the constant count as it is stored, instead of reading past the end', () => {
    const graph = dequantized(fromNumbers('int8', [2, 3], [1, 2, 3, 4, 5, 0]), floats([1, 10]), { axis: 1 });
    expect(valuesOf(graph)).toEqual([1, 2, 3, 4, 5, 0]);
    expect(countZeros(graph, 'q')).toBe(1);
  });
});

test('float16 weights are decoded and their zeros of both signs counted', () => {
  const graph = createGraph({
    inputs: [],
    outputs: ['y'],
    constants: new Map([['w', fromNumbers('float16', [4], [0, -0, 1, -2.5])]]),
    nodes: [createNode({ id: 'c', op: 'Cast', inputs: ['w'], outputs: ['y'], attributes: { to: int(1) } })],
  });
  expect(Array.from(weightOf(graph, 'w')!.values)).toEqual([0, -0, 1, -2.5]);
  expect(countZeros(graph, 'w')).toBe(2);
});

test('MatMulNBits weights come back as [N, K] with their own zero points', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 16]);
  // Two rows of 16: codes 0..15 and 15..0; zero points 8 and 0.
  const low = Uint8Array.from({ length: 8 }, (_, i) => (2 * i) | ((2 * i + 1) << 4));
  const high = Uint8Array.from({ length: 8 }, (_, i) => (15 - 2 * i) | ((14 - 2 * i) << 4));
  const w = b.constant('w', fromNumbers('uint8', [2, 1, 8], [...low, ...high]));
  const s = b.constant('s', floats([0.5, 2], [2, 1]));
  const z = b.constant('z', fromNumbers('uint8', [2, 1], [8, 0]));
  b.output(
    b.add('com.microsoft::MatMulNBits', [x, w, s, z], {
      attributes: { K: int(16), N: int(2), bits: int(4), block_size: int(16) },
    }),
  );
  const real = weightOf(b.finish(), 'w')!;
  expect(real.shape).toEqual([2, 16]);
  expect(Array.from(real.values).slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, k) => (k - 8) / 2));
  expect(Array.from(real.values).slice(16)).toEqual(Array.from({ length: 16 }, (_, k) => (15 - k) * 2));
  expect(countZeros(b.finish(), 'w')).toBe(2);
});

test('rounding to a grid and back is off by at most half a step', () => {
  const list = fc.array(fc.double({ noNaN: true, min: -1, max: 1 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(list, (values) => {
      const scale = Math.fround(1 / 127);
      const codes = fromNumbers(
        'int8',
        [values.length],
        values.map((v) => Math.max(-127, Math.min(127, Math.round(v / scale)))),
      );
      const back = valuesOf(dequantized(codes, floats([scale], [])));
      values.forEach((v, i) => {
        expect(Math.abs(v - back[i]!)).toBeLessThanOrEqual(scale / 2 + 1e-6);
      });
    }),
  );
});

test('a Cast and a Mul with a constant restore a weight too, and the scale is no parameter', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 2, 4, 4]);
  const codes = b.constant('codes', fromNumbers('int8', [2, 2, 1, 1], [1, 2, 3, 0]));
  const cast = b.add('Cast', [codes], { attributes: { to: int(1) } });
  const w = b.add('Mul', [cast, b.constant('scale', floats([1, 10], [2, 1, 1, 1]))]);
  b.output(b.add('Conv', [x, w]));
  expect(Array.from(weightOf(b.finish(), 'codes')!.values)).toEqual([1, 2, 30, 0]);
  expect(costsOf(b.finish())).toMatchObject({ parameters: 4, nonZero: 3 });
});

test('integer products find their scale by name', () => {
  const b = buildGraph();
  const x = b.input('x', 'uint8', [1, 2]);
  const codes = b.constant('w_quantized', fromNumbers('uint8', [2, 2], [1, 2, 3, 4]));
  const zero = b.constant('w_zero_point', fromNumbers('uint8', [2], [1, 4]));
  const sums = b.add('MatMulInteger', [x, codes, undefined, zero]);
  b.output(
    b.add('Mul', [b.add('Cast', [sums], { attributes: { to: int(1) } }), b.constant('w_scale', floats([1, 10]))]),
  );
  expect(Array.from(weightOf(b.finish(), 'w_quantized')!.values)).toEqual([0, -20, 2, 0]);
  expect(countZeros(b.finish(), 'w_quantized')).toBe(2);
  expect(costsOf(b.finish()).parameters).toBe(4);
});

test('weights of an integer LSTM have scales by direction and gate', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 1, 2]);
  const w = b.constant('w', fromNumbers('int8', [1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]));
  const r = b.constant('r', fromNumbers('int8', [1, 1, 4], [1, 1, 1, 1]));
  const scale = b.constant('s', floats([1, 10, 100, 1000], [1, 4]));
  const zero = b.constant('z', fromNumbers('int8', [1, 4], [0, 0, 0, 0]));
  const one = b.constant('one', floats([2], [1]));
  const none = b.constant('none', fromNumbers('int8', [1], [0]));
  const inputs = [x, w, r, undefined, undefined, undefined, undefined, undefined, scale, zero, one, none];
  b.output(b.add('com.microsoft::DynamicQuantizeLSTM', inputs, { attributes: { hidden_size: int(1) } }));
  expect(Array.from(weightOf(b.finish(), 'w')!.values)).toEqual([1, 20, 300, 4000, 5, 60, 700, 8000]);
  expect(Array.from(weightOf(b.finish(), 'r')!.values)).toEqual([2, 2, 2, 2]);
});

test('turning a matrix twice gives it back', () => {
  const size = fc.integer({ min: 1, max: 70 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), size, size, (planes, rows, columns) => {
      const values = Float32Array.from({ length: planes * rows * columns }, (_, i) => i);
      const once = transposedWeight({ shape: [planes, rows, columns], values });
      expect(once.shape).toEqual([planes, columns, rows]);
      expect(once.values[rows > 1 ? 1 : 0]).toBe(rows > 1 ? columns : 0);
      expect(transposedWeight(once)).toEqual({ shape: [planes, rows, columns], values });
    }),
    { numRuns: 30 },
  );
});
