import { buildGraph, type Executor, floats, type Graph, int, scalar, type Tensor, text } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { createTensorCore } from '@espalier/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { gradients } from '../gradients.js';
import { meanSquaredError } from '../losses/mean-squared-error.js';
import { sgd } from '../optimizers/sgd.js';
import { trainingStep } from '../training-step.js';

const executors: readonly (readonly [string, Executor])[] = [
  ['onnxruntime', createOnnxRuntime({ backend: 'node', threads: 1 })],
  ['wasm', createTensorCore()],
];
afterAll(async () => {
  for (const [, executor] of executors) await executor.close();
});

interface Question {
  readonly x: readonly number[];
  readonly scale: number;
  readonly zero?: number;
  readonly attributes: Readonly<Record<string, number | string>>;
}

/** The loss Σ dy · FakeQuantize(x) and its gradients with respect to x, the scale and the zero point. */
function differentiated({ x, scale, zero, attributes }: Question, dy: readonly number[]) {
  const b = buildGraph();
  const names = [b.input('x', 'float32', [x.length]), b.input('s', 'float32', [])];
  if (zero !== undefined) names.push(b.input('z', 'float32', []));
  const written = Object.entries(attributes).map(
    ([name, value]) => [name, typeof value === 'number' ? int(value) : text(value)] as const,
  );
  const y = b.add('espalier::FakeQuantize', names, { name: 'y', attributes: Object.fromEntries(written) });
  const weighted = b.add('Mul', [y, b.constant('dy', floats(dy, [dy.length]))]);
  const loss = b.add('ReduceSum', [weighted], { name: 'loss', attributes: { keepdims: int(0) } });
  b.output(loss);
  const base = b.finish();
  const typed = inferShapes({
    ...base,
    opsets: new Map([
      ['', 18],
      ['espalier', 1],
    ]),
  });
  const found = gradients(typed, 'loss', names);
  const outputs = names.map((name) => found.gradients.get(name)!);
  const graph: Graph = inferShapes({ ...found.graph, outputs: [...new Set([y, ...outputs])] });
  const feeds = new Map<string, Tensor>([
    ['x', floats(x, [x.length])],
    ['s', scalar(scale)],
    ...(zero === undefined ? [] : [['z', scalar(zero)] as const]),
  ]);
  return { graph, feeds, y, outputs };
}

describe.each(executors)('on %s', (_, executor) => {
  const ask = async (question: Question, dy: readonly number[]) => {
    const { graph, feeds, y, outputs } = differentiated(question, dy);
    const session = await executor.open(graph);
    const results = await session.run(feeds);
    await session.close();
    const numbers = (name: string) => Array.from(results.get(name)!.data as Float32Array);
    return { y: numbers(y), gradients: outputs.map(numbers) };
  };
  const single = (i: number) => [0, 0, 0, 0, 0, 0].map((_, k) => (k === i ? 1 : 0));

  test('the step of a learned quantizer has the residual as its gradient, number by number', async () => {
    // Vectors of a parameterized quantizer (d, q, t = 1) with d = 0.1 inside its range: R = round(x / d) - x / d.
    const question = { x: [-0.73, -0.24, 0, 0.06, 0.41, 0.96], scale: 0.1, attributes: { bits: 8 } };
    const expected = [0.3, 0.4, 0, 0.4, -0.1, 0.4];
    for (const [i, residual] of expected.entries()) {
      const { gradients: found, y } = await ask(question, single(i));
      expect(found[1]![0]).toBeCloseTo(residual, 4);
      expect(found[0]).toEqual(single(i));
      expect(y[1]).toBeCloseTo(-0.2, 6);
    }
  });

  test('what is clipped moves the scale by the bound, and x not at all', async () => {
    const question = { x: [3, -3, 0.3], scale: 0.25, attributes: { bits: 3 } }; // codes -4..3
    const { gradients: found } = await ask(question, [1, 10, 100]);
    expect(found[0]).toEqual([0, 0, 100]);
    expect(found[1]![0]).toBeCloseTo(1 * 3 + 10 * -4 + 100 * (1 - 1.2), 3);
  });

  test('PACT: only what is clipped moves the level, ds = Q Σ dy', async () => {
    const question = { x: [0.1, 0.8, 2, 5], scale: 0.1, attributes: { bits: 4, signed: 0, slope: 'pact' } };
    const { gradients: found } = await ask(question, [1, 10, 100, 1000]);
    expect(found[0]).toEqual([1, 10, 0, 0]);
    expect(found[1]![0]).toBeCloseTo(15 * 1100, 0);
  });

  test('LSQ+: what is clipped moves the offset, dz = -s Σ dy, as finite differences have it', async () => {
    const question = { x: [-1, 0.1, 5], scale: 0.5, zero: 1, attributes: { bits: 2, signed: 0 } };
    const { gradients: found } = await ask(question, [1, 10, 100]);
    expect(found[2]![0]).toBeCloseTo(-0.5 * 101, 4);
    // y = (clip(round(x / s) + z) - z) s falls by s where it is clipped as z grows by one.
    const at = async (zero: number) => (await ask({ ...question, zero }, [1, 10, 100])).y;
    const [before, after] = [await at(1), await at(2)];
    expect(after[2]! - before[2]!).toBeCloseTo(-0.5, 6);
  });

  test('a scale that is not learned has no gradient', async () => {
    const { gradients: found } = await ask({ x: [0.3, 9], scale: 0.25, attributes: { bits: 3, learned: 0 } }, [1, 1]);
    expect(found[1]).toEqual([0]);
    expect(found[0]).toEqual([1, 0]);
  });

  test('dampening pulls a weight to the middle of its bin unless it is clipped', async () => {
    const b = buildGraph();
    const w = b.constant('w', floats([0.3, 9], [2, 1]));
    const s = b.constant('s', scalar(0.25));
    const q = b.add('espalier::FakeQuantize', [w, s], { attributes: { bits: int(3), learned: int(0) } });
    b.output(b.add('MatMul', [b.input('x', 'float32', ['n', 2]), q], { name: 'y' }));
    const graph = inferShapes({
      ...b.finish(),
      opsets: new Map([
        ['', 18],
        ['espalier', 1],
      ]),
    });
    const step = trainingStep(graph, { loss: meanSquaredError(), optimizer: sgd({ momentum: 0 }), dampening: 1 });
    expect(step.parameters.map(({ name }) => name)).toEqual(['w']);
    const session = await executor.open(step.graph);
    const feeds = new Map<string, Tensor>([
      ['x', floats([0, 0], [1, 2])], // the loss alone has no gradient here
      ['w', floats([0.3, 9], [2, 1])],
      [step.target, floats([0], [1, 1])],
      [step.learningRate, scalar(1)],
      [step.step, scalar(1)],
    ]);
    const results = await session.run(feeds);
    await session.close();
    const moved = Array.from(results.get(step.parameters[0]!.output)!.data as Float32Array);
    expect(moved[0]).toBeCloseTo(0.3 - 2 * (0.3 - 0.25), 5);
    expect(moved[1]).toBe(9);
  });
});

test('scales have a learning rate of their own', () => {
  const b = buildGraph();
  const w = b.constant('w', floats([0.3, 0.1], [2, 1]));
  const q = b.add('espalier::FakeQuantize', [w, b.constant('s', scalar(0.25))], { attributes: { bits: int(3) } });
  b.output(b.add('MatMul', [b.input('x', 'float32', ['n', 2]), q], { name: 'y' }));
  const graph = inferShapes({
    ...b.finish(),
    opsets: new Map([
      ['', 18],
      ['espalier', 1],
    ]),
  });
  const nodes = (scaleRate: number) =>
    trainingStep(graph, { loss: meanSquaredError(), optimizer: sgd({}), scaleRate }).graph.constants.size;
  expect(nodes(0.1)).toBe(nodes(1) + 1);
  expect(() => nodes(-1)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});
