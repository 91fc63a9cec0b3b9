import { evaluateSession } from '@espalier/analysis';
import { buildGraph, floats, type Graph, type Tensor, tensor } from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate } from './evaluate.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** Scores are the inputs themselves, or their softmax. */
function scores(op: 'Identity' | 'Softmax', batch: string | number = 'batch'): Graph {
  const b = buildGraph();
  const x = b.add('Neg', [b.add('Neg', [b.input('x', 'float32', [batch, 2])])]);
  const y = b.add(op, [x]);
  b.info(y, { dtype: 'float32', shape: [batch, 2] });
  b.output(y);
  return b.finish();
}

const dataset = tensorSet({
  name: 'three',
  fields: new Map<string, Tensor>([
    ['x', floats([1, 0, 0, 1, 3, 0], [3, 2])],
    ['label', tensor('int32', [3], Int32Array.of(0, 1, 1))],
  ]),
});
const loss = (Math.log(1 + Math.exp(-1)) * 2 + Math.log(1 + Math.exp(3))) / 3;

describe('evaluation', () => {
  it('counts every sample once, the last batch as large as it is', async () => {
    for (const batch of [1, 2, 3, 64]) {
      const found = await evaluate({ model: scores('Identity'), dataset, executor, batch });
      expect(found['top1']).toBeCloseTo(2 / 3, 12);
      expect(found['loss']).toBeCloseTo(loss, 6);
    }
  });

  it('reads the logits in front of a softmax', async () => {
    const found = await evaluate({ model: scores('Softmax'), dataset, executor });
    expect(found['loss']).toBeCloseTo(loss, 6);
  });

  it('leaves out what does not fill the batch of a model that takes one size alone', async () => {
    const shares: number[] = [];
    const found = await evaluate({
      model: scores('Identity', 2),
      dataset,
      executor,
      progress: (done) => shares.push(done),
    });
    expect(found['top1']).toBe(1);
    expect(shares).toEqual([2 / 3]);
    await expect(evaluate({ model: scores('Identity', 4), dataset, executor })).rejects.toThrow(/4 samples or more/);
  });

  it('reports the accuracy and loss that a comparison of models reports, ties and NaN included', async () => {
    const x = floats([1, 0, 0, 1, 3, 0, 2, 2, 2, 2, Number.NaN, 1], [6, 2]);
    const label = tensor('int32', [6], Int32Array.of(0, 1, 1, 0, 1, 1));
    const samples = (count: number) =>
      new Map<string, Tensor>([
        ['x', floats(x.data.subarray(0, 2 * count), [count, 2])],
        ['label', tensor('int32', [count], label.data.slice(0, count))],
      ]);
    const model = scores('Identity');
    const measure = async (count: number) => {
      const fields = samples(count);
      const trained = await evaluate({ model, dataset: tensorSet({ name: 'some', fields }), executor, batch: 4 });
      const session = await executor.open(model);
      const compared = await evaluateSession(session, [fields]);
      await session.close();
      return { trained, compared: compared.metrics };
    };
    const finite = await measure(5);
    expect(finite.trained['top1']).toBe(3 / 5);
    expect(finite.trained['top1']).toBe(finite.compared.top1);
    expect(finite.trained['loss']).toBeCloseTo(finite.compared.loss, 12);
    const { trained, compared } = await measure(6);
    expect([trained['top1'], compared.top1]).toEqual([3 / 6, 3 / 6]);
    expect([trained['loss'], compared.loss]).toEqual([Number.NaN, Number.NaN]);
  });
});
