import { type Attribute, createGraph, createNode, floats, type Graph, int, scalar, type Tensor } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { largestDifference, runOnnx } from '../../../test/run-onnx.js';
import { lowerCustomOps } from './lower-custom-ops.js';

const x = floats([-9, -1.3, -0.375, -0.125, 0, 0.125, 0.3, 0.375, 2.6, 31, 32, 100], [2, 3, 2]);

function graphOf(scale: Tensor, zero: Tensor | undefined, attributes: Record<string, Attribute>, opset = 17): Graph {
  const constants = new Map([['scale', scale], ...(zero ? [['zero', zero] as const] : [])]);
  return createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes: [
      createNode({
        id: 'fq',
        op: 'espalier::FakeQuantize',
        inputs: ['x', 'scale', ...(zero ? ['zero'] : [])],
        outputs: ['y'],
        attributes,
      }),
    ],
    constants,
    values: new Map([
      ['x', { dtype: 'float32', shape: [2, 3, 2] }],
      ['y', { dtype: 'float32', shape: [2, 3, 2] }],
    ]),
    opsets: new Map([
      ['', opset],
      ['espalier', 1],
    ]),
  });
}

const run = (graph: Graph) => runOnnx(inferShapes(graph), new Map([['x', x]]));
const roundHalfEven = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

describe('a fake-quantizer computes its formula, in either form', () => {
  const perAxis = floats([0.25, 0.5, 0.1]);
  const cases: readonly (readonly [string, Tensor, Tensor | undefined, Record<string, Attribute>, number, number])[] = [
    ['8 bits', scalar(0.25), undefined, {}, -128, 127],
    ['8 bits unsigned with a zero point', scalar(0.25), scalar(5), { signed: int(0) }, 0, 255],
    ['8 bits narrow', scalar(0.25), undefined, { narrow: int(1) }, -127, 127],
    ['4 bits', scalar(0.25), scalar(1), { bits: int(4) }, -8, 7],
    ['2 bits unsigned per axis', perAxis, floats([0, 1, 2]), { bits: int(2), signed: int(0), axis: int(1) }, 0, 3],
    ['8 bits per axis, counted from the end', perAxis, undefined, { axis: int(-2) }, -128, 127],
  ];
  test.each(cases)('%s', async (_, scale, zero, attributes, low, high) => {
    const graph = graphOf(scale, zero, attributes);
    const pick = (t: Tensor | undefined, i: number) =>
      t ? Number(t.data[t.data.length === 1 ? 0 : Math.floor(i / 2) % 3]) : 0;
    const wanted = Float32Array.from(x.data, (value, i) => {
      const [s, z] = [pick(scale, i), pick(zero, i)];
      const code = Math.min(Math.max(roundHalfEven(Math.fround(value / s)) + z, low), high);
      return (code - z) * s;
    });
    const expected = new Map([['y', floats(wanted, [2, 3, 2])]]);
    for (const qdq of [true, false]) {
      const lowered = lowerCustomOps(graph, { qdq });
      expect(largestDifference(expected, await run(lowered))).toBe(0);
      expect(lowerCustomOps(lowered, { qdq })).toBe(lowered);
    }
  });

  test('a scale that is computed works too', async () => {
    const graph = graphOf(floats([0.25, 0.5, 0.1]), undefined, { bits: int(4), axis: int(1) });
    const computed: Graph = inferShapes({
      ...graph,
      nodes: [
        createNode({ id: 'abs', op: 'Abs', inputs: ['scale'], outputs: ['positive'] }),
        ...graph.nodes.map((node) => ({ ...node, inputs: ['x', 'positive'] })),
      ],
    });
    expect(largestDifference(await run(lowerCustomOps(graph)), await run(lowerCustomOps(computed)))).toBe(0);
  });
});

test('8 bits become QuantizeLinear and DequantizeLinear', () => {
  expect(lowerCustomOps(graphOf(scalar(1), undefined, {})).nodes.map(({ op }) => op)).toEqual([
    'QuantizeLinear',
    'DequantizeLinear',
  ]);
});

test('nonsense is refused with the node and the reason', () => {
  const lower = (attributes: Record<string, Attribute>, opset?: number) => () =>
    lowerCustomOps(graphOf(floats([1, 2, 3]), undefined, attributes, opset));
  expect(lower({ bits: int(40) })).toThrowErrorMatchingInlineSnapshot(
    `[EspalierError: node "fq" (espalier::FakeQuantize): expected bits from 1 to 16, found 40. Correct the node, or lower it with a pass of your own first.]`,
  );
  expect(lower({ bits: int(4), axis: int(7) })).toThrow(expect.objectContaining({ code: 'PASS_LOWERING' }));
  expect(lower({}, 9)).toThrow(expect.objectContaining({ code: 'PASS_LOWERING' }));
});

test('custom ops of others stay', () => {
  const graph = createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes: [createNode({ id: 'a', op: 'acme::F', inputs: ['x'], outputs: ['y'] })],
  });
  expect(lowerCustomOps(graph)).toBe(graph);
});
