import { buildGraph, floats, type Graph, int, type Tensor } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { evaluateGraph } from '../../../../test/float64/evaluate-graph.js';
import { lowerCustomOps } from '../lower-custom-ops.js';

const x = [-1.5, -0.73, -0.24, 0, 0.06, 0.41, 0.96, 1.23, 2];
const one = (value: number): Tensor => floats([value], []);

interface Parameters {
  readonly step: Tensor;
  readonly limit: Tensor;
  readonly exponent?: Tensor;
  readonly signed?: 0 | 1;
}

function lowered(data: Tensor, { step, limit, exponent, signed = 1 }: Parameters, dy?: Tensor): Graph {
  const b = buildGraph();
  const inputs = [data, step, limit, exponent].map((each, i) => each && b.constant(`in${i}`, each));
  const attributes = { signed: int(signed), axis: int(0) };
  const outputs = dy
    ? b.addAll('espalier::ParameterizedQuantizeGradient', [...inputs, b.constant('dy', dy)], {
        outputs: exponent ? 4 : 3,
        attributes,
      })
    : [b.add('espalier::ParameterizedQuantize', inputs, { attributes })];
  return lowerCustomOps(inferShapes({ ...b.finish(), outputs }));
}

function run(graph: Graph): readonly (readonly number[])[] {
  const values = evaluateGraph(graph, new Map());
  return graph.outputs.map((name) => Array.from(values.get(name)!.data as Float64Array));
}

const close = (actual: readonly number[], expected: readonly number[], digits = 6) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, digits);
  });
};

const all = floats(x);
const quantized = (parameters: Parameters) => run(lowered(all, parameters))[0]!;
/** The gradient of each element alone: the sum over one element. */
const slopes = (parameters: Parameters, output: number) =>
  x.map((value) => run(lowered(floats([value]), parameters, floats([1])))[output]![0]!);

describe('a parameterized quantizer', () => {
  const linear = { step: one(0.1), limit: one(1), exponent: one(1) };
  test('with exponent 1 is a symmetric quantizer with a limit', () => {
    close(quantized(linear), [-1, -0.7, -0.2, 0, 0.1, 0.4, 1, 1, 1]);
    close(quantized({ step: one(0.1), limit: one(1) }), [-1, -0.7, -0.2, 0, 0.1, 0.4, 1, 1, 1]);
  });

  test('has the straight-through slopes of DJPQ and GETA', () => {
    close(slopes(linear, 0), [0, 1, 1, 1, 1, 1, 1, 0, 0]);
    close(slopes(linear, 1), [0, 0.3, 0.4, 0, 0.4, -0.1, 0.4, 0, 0], 5);
    close(slopes(linear, 2), [-1, 0, 0, 0, 0, 0, 0, 1, 1]);
    close(slopes(linear, 3), [0, 0.229739, 0.342508, 0, -0.168805, -0.365555, -0.039189, 0, 0], 5);
  });

  test('warps magnitudes by its exponent', () => {
    const warped = { step: one(0.1), limit: one(1.2), exponent: one(0.8) };
    close(quantized(warped), [-1.2, -0.8, -0.3, 0, 0.1, 0.5, 1, 1.2, 1.2]);
    const [dq, dd] = [slopes(warped, 2), slopes(warped, 1)];
    close(dq, [-0.771354, 0, 0, 0, 0, 0, 0, 0.771354, 0.771354], 5);
    close(dd, [-0.42969, -0.225754, 0.19278, 0, -0.053225, 0.09965, 0.321301, 0.42969, 0.42969], 5);
    const steep = { step: one(0.25), limit: one(0.9), exponent: one(1.3) };
    close(quantized(steep), [-0.75, -0.75, -0.25, 0, 0, 0.25, 0.75, 0.75, 0.75]);
    expect(slopes(steep, 2)[8]).toBeCloseTo(1.259552, 5);
  });

  test('without a sign has no negative points, and no gradient below zero', () => {
    const unsigned: Parameters = { step: one(0.1), limit: one(1), signed: 0 };
    close(quantized(unsigned), [0, 0, 0, 0, 0.1, 0.4, 1, 1, 1]);
    close(slopes(unsigned, 0), [0, 0, 0, 1, 1, 1, 1, 0, 0]);
    close(slopes(unsigned, 2), [0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  test('has parameters for each index of an axis, whose gradients are sums over the rest', () => {
    const data = floats([0.41, -1.5, 0.41, -1.5], [2, 2]);
    const each = { step: floats([0.1, 0.25]), limit: floats([1, 0.9]), exponent: floats([1, 1.3]) };
    close(run(lowered(data, each))[0]!, [0.4, -1, 0.25, -0.75]);
    const [, dstep, dlimit] = run(lowered(data, each, floats([1, 1, 1, 1], [2, 2])));
    close(dstep!, [-0.1 + 0, slopes2(1)], 5);
    close(dlimit!, [-1, slopes2(2)], 5);
  });

  const slopes2 = (output: number) =>
    [0.41, -1.5]
      .map(
        (value) =>
          run(lowered(floats([value]), { step: one(0.25), limit: one(0.9), exponent: one(1.3) }, floats([1])))[
            output
          ]![0]!,
      )
      .reduce((sum, value) => sum + value, 0);

  test('an axis that x lacks is refused', () => {
    const wrong = { step: floats([0.1, 0.1]), limit: floats([1, 1]) };
    const graph = () => lowered(floats([1], []), wrong);
    expect(graph).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: node "ParameterizedQuantize/ParameterizedQuantize" (espalier::ParameterizedQuantize): expected an axis within rank 0, found 0. Correct the node, or lower it with a pass of your own first.]`,
    );
  });
});
