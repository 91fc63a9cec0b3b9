import {
  createRandom,
  type Executor,
  floats,
  type Graph,
  type Need,
  type Tensor,
  tensor,
  toFloats,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { createTensorCore } from '@espalier/tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateGraph } from '../../../test/float64/evaluate-graph.js';
import { convNet } from '../../../test/small-nets.js';
import { calibrate } from './calibrate.js';

const executors: readonly Executor[] = [createOnnxRuntime({ threads: 1 }), createTensorCore()];
afterAll(async () => {
  for (const executor of executors) await executor.close();
});

const random = createRandom(4);
const count = 7;
const pixels = 2 * 8 * 8;
const images = Float32Array.from({ length: count * pixels }, () => random.normal());
const labels = [0, 1, 2, 0, 1, 2, 1];
const net = convNet();

/** The samples in batches of these sizes, with labels or without. */
const batches = (sizes: readonly number[], { labelled = true } = {}) =>
  async function* () {
    let at = 0;
    for (const size of sizes) {
      const data = images.subarray(at * pixels, (at + size) * pixels);
      const batch = new Map<string, Tensor>([['x', floats(data, [size, 2, 8, 8])]]);
      if (labelled) batch.set('label', tensor('int32', [size], Int32Array.from(labels.slice(at, at + size))));
      yield batch;
      at += size;
    }
  };

/** The cross-entropy of each sample in float64; constants may be others. */
function losses(graph: Graph, constants: ReadonlyMap<string, Tensor> = new Map()): readonly number[] {
  const moved = { ...graph, constants: new Map([...graph.constants, ...constants]) };
  const values = evaluateGraph(moved, new Map([['x', floats(images, [count, 2, 8, 8])]]));
  const { data } = values.get(graph.outputs[0]!)!; // a Softmax ends the net
  return labels.map((label, n) => -Math.log(Number(data[n * 3 + label])));
}

/** The derivative of each sample's loss to what `by` moves, by central differences. */
const differences = (of: (by: number) => ReadonlyMap<string, Tensor>): readonly number[] => {
  const [up, down] = [losses(net, of(1e-5)), losses(net, of(-1e-5))];
  return up.map((loss, n) => (loss - down[n]!) / 2e-5);
};

const elementMoved = (name: string, i: number) => (by: number) => {
  const { shape, data } = net.constants.get(name)!;
  const moved = Float64Array.from(data as Float32Array); // weights are float32
  moved[i]! += by;
  return new Map([[name, tensor('float64', shape, moved)]]);
};

/** Every element at an index of the first axis, times 1 + by. */
const rowScaled = (name: string, index: number) => (by: number) => {
  const { shape, data } = net.constants.get(name)!;
  const row = data.length / shape[0]!;
  const moved = Float64Array.from(data as Float32Array, (w, i) => (Math.floor(i / row) === index ? w * (1 + by) : w));
  return new Map([[name, tensor('float64', shape, moved)]]);
};

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const pooled = net.nodes.find(({ op }) => op === 'Gemm')!;
const needs = [
  { statistic: 'gradient', value: 'conv.weight', power: 1 },
  { statistic: 'gradient', value: 'conv.weight', power: 2 },
  { statistic: 'gradient', value: 'bn.weight', power: 1 },
  { statistic: 'weightContribution', value: 'conv.weight', axis: 0 },
  { statistic: 'inputContribution', node: pooled.id, slot: 0, axis: 1 },
  { statistic: 'activity', value: 'relu', axis: 1, measure: 'zeros' },
] as const satisfies readonly Need[];

describe.each(executors.map((executor) => [executor.id, executor] as const))(
  'gradients collected by %s',
  (_, executor) => {
    const collect = (sizes: readonly number[], options?: { labelled: boolean }) =>
      calibrate(net, needs, { executor, batches: batches(sizes, options) });

    it('agree with finite differences in float64, and squares are of batches', async () => {
      const evidence = await collect([1, 1, 1, 1, 1, 1, 1]);
      expect(evidence.target).toBe('labels');
      const gradient = evidence.find(needs[0])!;
      const squares = evidence.find(needs[1])!;
      for (const i of [0, 17, 40, 71]) {
        const each = differences(elementMoved('conv.weight', i));
        expect(gradient[i]).toBeCloseTo(mean(each), 5);
        expect(squares[i]).toBeCloseTo(mean(each.map((g) => g * g)), 5);
      }
      expect(evidence.find(needs[2])![3]).toBeCloseTo(mean(differences(elementMoved('bn.weight', 3))), 5);
    });

    it('times weights and summed along an axis are what scaling the index does to the loss', async () => {
      const evidence = await collect([3, 4]);
      const { sums, size, samples } = evidence.find(needs[3])!;
      expect([size, ...samples]).toEqual([4, 3, 4]);
      for (let c = 0; c < 4; c++) {
        const each = differences(rowScaled('conv.weight', c));
        expect(sums[c]).toBeCloseTo(mean(each.slice(0, 3)), 5);
        expect(sums[4 + c]).toBeCloseTo(mean(each.slice(3)), 5);
      }
    });

    it('times inputs are, sample by sample, what scaling the input does to the loss of the sample', async () => {
      const evidence = await collect([3, 4]);
      const { sums, size, samples } = evidence.find(needs[4])!;
      expect([size, samples.length]).toEqual([64, count]);
      const weight = net.constants.get('fc.weight')!;
      for (const k of [2, 33]) {
        // Scaling an input of the last layer is scaling its column of the weight.
        const scaled = (by: number) => {
          const moved = Float64Array.from(weight.data as Float32Array, (w, i) => (i % 64 === k ? w * (1 + by) : w));
          return new Map([['fc.weight', tensor('float64', weight.shape, moved)]]);
        };
        differences(scaled).forEach((each, n) => {
          expect(sums[n * 64 + k]).toBeCloseTo(each, 5);
        });
      }
    });

    it('do not depend on how the data is cut into batches, where that is promised', async () => {
      const [whole, cut] = [await collect([7]), await collect([2, 1, 4])];
      for (const need of [needs[0], needs[2], needs[5]]) {
        const [a, b] = [whole.find(need)!, cut.find(need)!];
        for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 6);
      }
      const [a, b] = [whole.find(needs[4])!, cut.find(needs[4])!];
      for (const [i, value] of a.sums.entries()) expect(b.sums[i]).toBeCloseTo(value, 5);
    });

    it('are to the predicted class where there are no labels', async () => {
      const evidence = await collect([7], { labelled: false });
      expect(evidence.target).toBe('predictions');
      const session = await executor.open(net);
      const found = await session.run(new Map([['x', floats(images, [count, 2, 8, 8])]]));
      const probabilities = toFloats(found.get(net.outputs[0]!)!);
      const rows = Array.from({ length: count }, (_, n) => [...probabilities.subarray(n * 3, n * 3 + 3)]);
      const own = rows.map((row) => row.indexOf(Math.max(...row)));
      const classes = tensor('int32', [count], Int32Array.from(own));
      const batch = async function* () {
        for await (const each of batches([7])()) yield new Map(each).set('label', classes);
      };
      const told = await calibrate(net, needs, { executor, batches: batch });
      expect([...evidence.find(needs[0])!]).toEqual([...told.find(needs[0])!]);
    });
  },
);

describe('gradients', () => {
  const executor = executors[0]!;
  const code = (of: Promise<unknown>) =>
    of.then(
      () => undefined,
      (error) => error.code,
    );

  it('leave labels out of what a model is fed with', async () => {
    const evidence = await calibrate(net, [{ statistic: 'range', value: 'relu' }], { executor, batches: batches([7]) });
    expect(evidence.samples).toBe(7);
    expect(evidence.target).toBeUndefined();
  });

  it('refuse labels that are no classes, computed values, and models without a derivative', async () => {
    const strange = async function* () {
      for await (const batch of batches([7])())
        yield new Map(batch).set('label', tensor('int32', [7], new Int32Array(7).fill(3)));
    };
    const need = needs[0];
    expect(await code(calibrate(net, [need], { executor, batches: strange }))).toBe('CALIBRATION_LABEL');
    const computed = { ...need, value: 'relu' };
    expect(await code(calibrate(net, [computed], { executor, batches: batches([7]) }))).toBe('CALIBRATION_NEED');
    const nodes = net.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'Hardmax' } : node));
    expect(await code(calibrate({ ...net, nodes }, [need], { executor, batches: batches([7]) }))).toBe('AUTODIFF_OP');
    const nowhere = { statistic: 'inputContribution', node: 'nowhere', slot: 0, axis: 1 } as const;
    expect(await code(calibrate(net, [nowhere], { executor, batches: batches([7]) }))).toBe('CALIBRATION_NEED');
  });
});
