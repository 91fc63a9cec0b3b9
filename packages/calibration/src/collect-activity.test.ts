import { buildGraph, floats } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { createTensorCore } from '@espalier/tensor';
import { describe, expect, it } from 'vitest';
import { calibrate } from './calibrate.js';

const graph = (() => {
  const b = buildGraph();
  b.output(b.add('Relu', [b.input('x', 'float32', ['n', 2, 2])], { name: 'y' }));
  return b.finish();
})();
const batches = async function* () {
  yield new Map([['x', floats([3, -4, 1, 1], [1, 2, 2])]]);
  yield new Map([['x', floats([0, 5, -1, 2, -2, -2, -3, 6], [2, 2, 2])]]);
};

describe.each([createOnnxRuntime({ threads: 1 }), createTensorCore()])('activity on $id', (executor) => {
  it('is the mean size, the mean square or the share of zeros per index of an axis, over all batches', async () => {
    const of = (value: string, measure: 'mean' | 'square' | 'zeros', axis: number) =>
      ({ statistic: 'activity', value, axis, measure }) as const;
    const needs = [of('x', 'mean', 1), of('y', 'square', 1), of('y', 'zeros', 1), of('x', 'zeros', -1)];
    const evidence = await calibrate(graph, needs, { executor, batches });
    const found = needs.map((need) => [...evidence.find(need)!]);
    const rows = [
      [3, -4, 0, 5, -2, -2],
      [1, 1, -1, 2, -3, 6],
    ];
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
    const relu = rows.map((row) => row.map((x) => Math.max(0, x)));
    const wanted = [
      rows.map((row) => mean(row.map(Math.abs))),
      relu.map((row) => mean(row.map((x) => x * x))),
      relu.map((row) => mean(row.map((x) => (x === 0 ? 1 : 0)))),
      [1 / 6, 0],
    ];
    for (const [i, list] of wanted.entries()) {
      expect(found[i]).toEqual(list.map((each) => expect.closeTo(each, 6)));
    }
    await executor.close();
  });

  it('refuses an axis that is not there, and numbers that are none', async () => {
    const need = { statistic: 'activity', value: 'x', axis: 3, measure: 'mean' } as const;
    await expect(calibrate(graph, [need], { executor, batches })).rejects.toMatchObject({ code: 'CALIBRATION_NEED' });
    const broken = async function* () {
      yield new Map([['x', floats([Number.NaN, 1, 1, 1], [1, 2, 2])]]);
    };
    const run = calibrate(graph, [{ ...need, axis: 1 }], { executor, batches: broken });
    await expect(run).rejects.toMatchObject({ code: 'CALIBRATION_NOT_FINITE' });
    await executor.close();
  });
});
