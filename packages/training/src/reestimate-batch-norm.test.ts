import { reestimateBatchNorm } from '@espalier/calibration';
import { toNumbers } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { toyData, toyModel } from '../test/toy.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

async function feeds(...sizes: readonly number[]) {
  const data = toyData(48);
  let at = 0;
  const batches = [];
  for (const size of sizes) {
    const batch = await data.read(Array.from({ length: size }, () => at++));
    batches.push(new Map([['image', batch.get('image')!]]));
  }
  return batches;
}

const statistics = async (sizes: readonly number[]) => {
  const graph = await reestimateBatchNorm(toyModel(), await feeds(...sizes), executor);
  return ['bn.mean', 'bn.variance'].map((name) => toNumbers(graph.constants.get(name)!));
};

describe('statistics of batch norms', () => {
  it('are those of all samples together, however they are cut into batches', async () => {
    const [whole, cut] = [await statistics([48]), await statistics([5, 30, 13])];
    for (const [i, list] of whole.entries()) {
      for (const [c, value] of list.entries()) expect(cut[i]![c]).toBeCloseTo(value, 5);
    }
    expect(whole[0]!.some((value) => Math.abs(value) > 0.05)).toBe(true);
  });

  it('are the mean and variance of what the norm reads', async () => {
    const model = toyModel();
    const conv = model.nodes[0]!.outputs[0]!;
    const session = await executor.open({ ...model, outputs: [conv] });
    const [batch] = await feeds(48);
    const { data } = (await session.run(batch!)).get(conv)!;
    const channel = Array.from({ length: 48 * 64 }, (_, i) => Number(data[Math.floor(i / 64) * 8 * 64 + (i % 64)]));
    const mean = channel.reduce((a, b) => a + b) / channel.length;
    const variance = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channel.length;
    const [means, variances] = await statistics([48]);
    expect(means![0]).toBeCloseTo(mean, 5);
    expect(variances![0]).toBeCloseTo(variance, 5);
  });

  it('leave everything else alone, and a graph without batch norms or batches as it is', async () => {
    const model = toyModel();
    const graph = await reestimateBatchNorm(model, await feeds(16), executor);
    expect(graph.nodes).toEqual(model.nodes);
    expect(graph.constants.get('conv.weight')).toBe(model.constants.get('conv.weight'));
    expect(await reestimateBatchNorm(model, [], executor)).toBe(model);
    const plain = { ...model, nodes: model.nodes.slice(0, 1), outputs: [model.nodes[0]!.outputs[0]!] };
    expect(await reestimateBatchNorm(plain, await feeds(16), executor)).toBe(plain);
  });
});
