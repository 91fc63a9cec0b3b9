import { crossEntropy, sgd } from '@espalier/autodiff';
import { type Graph, memoryFiles, type TrainingEvent } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { lowerCustomOps } from '@espalier/passes';
import { afterAll, describe, expect, test } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import { toyData } from '../../training/test/toy.js';
import { blockModel, jointRun, optionsOf } from '../test/joint-run.js';
import { geta } from './geta.js';
import { readMemory } from './qasso/memory.js';
import { cutAndFix, writeGeta } from './write-geta.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const written = {
  optimizer: sgd({ momentum: 0.9 }),
  loss: crossEntropy({}),
  learningRate: 0.05,
  batch: 16,
  epochs: 8,
  multiple: 1,
  sparsity: 0.4,
  joint: { periods: 2 },
  projection: { periods: 2 },
};
const surroundings = { training: toyData(96), evaluation: toyData(96, 9), executor, seed: 3 };

describe('geta', () => {
  test('leaves a smaller integer network that still tells the textures apart', async () => {
    const trained = await geta(written).train(blockModel(), surroundings);
    expect(trained.metrics!['top1']).toBeGreaterThan(0.9);
    const ops = trained.graph.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op.startsWith('espalier::'))).toEqual([]);
    expect(ops).not.toContain('BatchNormalization');
    const kept = trained.notes!.flatMap(({ details }) => (details?.group ? [details] : []));
    const [before, after] = [kept.map((each) => each.before!), kept.map((each) => each.after!)].map((all) =>
      all.reduce((sum, each) => sum + each, 0),
    );
    expect(after! / before!).toBeCloseTo(0.6, 1);
    await (await executor.open(trained.graph)).close();
  });

  // A sum near the middle of two values may fall on either: one step, which is larger where there are few.
  const parity = [
    ['per channel', 2e-2, {}],
    ['per tensor', 2e-2, { granularity: 'tensor' }],
    ['with exponents', 2e-2, { exponent: true }],
    ['weights alone', 1e-4, { activations: { quantize: false } }],
    ['few bits everywhere', 0.25, { bits: { min: 2, max: 3 }, activations: { min: 3, max: 4 } }],
    ['more bits than codes have', 1e-4, { bits: { min: 10, max: 12 }, activations: { quantize: false } }],
  ] as const;
  test.each(parity)('writes a file that computes what was trained: %s', async (_, tolerance, more) => {
    const options = optionsOf({ epochs: 6, sparsity: 0.4, joint: { periods: 2 }, projection: { periods: 2 }, ...more });
    const { plan, trained } = await jointRun(executor, { options });
    const memory = readMemory(trained.memory!, plan);
    const feeds = randomFeeds(blockModel(), { seed: 4, sizes: { batch: 4 } });
    const whole = await runOnnx(lowerCustomOps(inferShapes(trained.graph)), feeds);
    const small = await runOnnx(lowerCustomOps(cutAndFix(trained.graph, plan, memory)), feeds);
    const file = await runOnnx(writeGeta(trained.graph, plan, memory).graph, feeds);
    // Removed units are zero: cutting them changes nothing but the order of sums.
    expect(largestDifference(whole, small)).toBeLessThan(tolerance);
    expect(largestDifference(small, file)).toBeLessThan(tolerance);
  });

  test('goes on from a checkpoint to the same bytes', async () => {
    const bytes = async (interrupt: boolean) => {
      const files = memoryFiles();
      const run = (signal?: AbortSignal, events?: (event: TrainingEvent) => void) =>
        geta({ ...written, epochs: 4, checkpointEvery: 5 }).train(blockModel(), {
          ...surroundings,
          checkpoint: { files, folder: 'state', resume: true },
          ...(signal ? { signal } : {}),
          ...(events ? { events } : {}),
        });
      if (interrupt) {
        const stop = new AbortController();
        const cancelled = await run(stop.signal, (event) => {
          if (event.event === 'step' && event.step === 12) stop.abort();
        });
        expect(cancelled.reason).toBe('cancelled');
      }
      return encodeModel((await run()).graph);
    };
    expect(Buffer.compare(Buffer.from(await bytes(true)), Buffer.from(await bytes(false)))).toBe(0);
  });

  test('says what is wrong with its options', async () => {
    const run = (more: object) => geta({ ...written, ...more }).train(blockModel(), surroundings);
    await expect(run({ bits: { min: 8, max: 4 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: trainer geta: bits: expected a min that is at most max, found 8 to 4. Exchange the two.]`,
    );
    await expect(run({ warm: 0.8, epochs: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: trainer geta: warm, projection.share and joint.share: expected a sum below 1, so that training goes on after the last removal, found -3 steps left of 12. Set more epochs, fewer periods, or smaller shares.]`,
    );
    await expect(run({ epochs: 1, joint: { periods: 50 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: trainer geta: projection.periods: expected at most 1, the steps of the stage, found 2. Set more epochs, fewer periods, or smaller shares.]`,
    );
  });
});

function encodeModel(graph: Graph): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeOnnx(graph)));
}
