import { floats, ints, type Tensor, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { evidenceFor, run } from '../../test/oracle.js';
import { minmax } from '../observers/minmax.js';
import { quantizationError } from '../quantization-error.js';
import { maskedValues } from './masked-values.js';
import { staticQuantizer } from './static.js';

const draw = normals(4);
const scalar = (value: number) => floats(Float32Array.of(value), []);

/** Attention whose mask is `Where(keep, 0, low)`, or `(1 - keep) * low` as older exporters have it. */
const attention = (low: number, form: 'where' | 'product') =>
  network({
    inputs: { x: float32(1, 6, 32), keep: form === 'where' ? { dtype: 'bool', shape: [1, 1, 6] } : float32(1, 1, 6) },
    outputs: ['y'],
    constants: {
      q: draw([32, 32], 0.1),
      k: draw([32, 32], 0.1),
      v: draw([32, 32], 0.1),
      one: scalar(1),
      zero: scalar(0),
      low: scalar(low),
    },
    lines: [
      ['mq', 'MatMul', ['x', 'q'], ['xq']],
      ['mk', 'MatMul', ['x', 'k'], ['xk']],
      ['mv', 'MatMul', ['x', 'v'], ['xv']],
      ['t', 'Transpose', ['xk'], ['xkt'], { perm: ints([0, 2, 1]) }],
      ['s', 'MatMul', ['xq', 'xkt'], ['scores']],
      ...(form === 'where'
        ? ([['w', 'Where', ['keep', 'zero', 'low'], ['mask']]] as const)
        : ([
            ['n', 'Sub', ['one', 'keep'], ['hidden']],
            ['p', 'Mul', ['hidden', 'low'], ['mask']],
          ] as const)),
      ['a', 'Add', ['scores', 'mask'], ['masked']],
      ['f', 'Softmax', ['masked'], ['weights']],
      ['o', 'MatMul', ['weights', 'xv'], ['y']],
    ],
  });

const feeds = (form: 'where' | 'product', kept: readonly number[]) =>
  new Map<string, Tensor>([
    ['x', draw([1, 6, 32])],
    [
      'keep',
      form === 'where' ? tensor('bool', [1, 1, 6], Uint8Array.from(kept)) : floats(Float32Array.from(kept), [1, 1, 6]),
    ],
  ]);

const samples = (form: 'where' | 'product', kept: readonly number[]) =>
  Array.from({ length: 40 }, () => feeds(form, kept));

describe.each([
  [Number.NEGATIVE_INFINITY, 'where'],
  [-3.4028234663852886e38, 'where'],
  [-10_000, 'where'],
  [-10_000, 'product'],
  [-3.4028234663852886e38, 'product'],
] as const)('a mask of %d by %s', (low, form) => {
  it('is kept where the calibration data masks nothing, and widens no range where it does', async () => {
    const graph = attention(low, form);
    expect([...maskedValues(graph)].filter((value) => value !== 'hidden')).toEqual(['mask', 'masked']);
    const plan = staticQuantizer({ activations: { observer: minmax() } })(graph);
    for (const kept of [
      [1, 1, 1, 1, 1, 1],
      [1, 1, 0, 0, 0, 0],
    ]) {
      const { graph: quantized } = plan.apply(await evidenceFor(plan.graph, plan.needs, samples(form, kept)));
      const feed = feeds(form, [1, 1, 1, 0, 0, 0]);
      const [expected, found] = [await run(graph, feed), await run(quantized, feed)];
      expect(quantizationError(expected.get('y')!, found.get('y')!).snrDb).toBeGreaterThan(25);
    }
  });
});

it('a large number that meets no Softmax is a number like others', () => {
  const graph = network({
    inputs: { x: float32(4) },
    outputs: ['y'],
    constants: { c: scalar(5000) },
    lines: [['a', 'Add', ['x', 'c'], ['y']]],
  });
  expect([...maskedValues(graph)]).toEqual([]);
});
