import { crossEntropy, sgd } from '@espalier/autodiff';
import { type TrainingEvent, toNumbers } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { constant, oneCycle, steps } from '@espalier/schedules';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLargest, toyData, toyModel } from '../test/toy.js';
import { finetune } from './finetune.js';
import { masked } from './masks/masked.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const context = { training: toyData(96), evaluation: toyData(30, 6), executor, seed: 1 };
const parts = { optimizer: sgd({}), loss: crossEntropy({}), batch: 16 };

function prunedModel() {
  const model = toyModel();
  return { ...model, constants: masked(model.constants, keepLargest(model, 0.5)) };
}

const zeros = (values: ArrayLike<number>) => Array.from(values).filter((value) => value === 0).length;

describe('finetune', () => {
  it('keeps the zeros of a pruned model, unless told not to', async () => {
    const kept = await finetune({ ...parts, epochs: 2 }).train(prunedModel(), context);
    const freed = await finetune({ ...parts, epochs: 2, keepZeros: false }).train(prunedModel(), context);
    const count = (graph: typeof kept.graph) => zeros(toNumbers(graph.constants.get('conv.weight')!));
    expect(count(kept.graph)).toBe(count(prunedModel()));
    expect(count(kept.graph)).toBe(36);
    expect(count(freed.graph)).toBe(0);
  });

  it('lets the learning rate fall to 0 along a cosine, or follows the schedule it is given', async () => {
    const rates = async (
      options: { readonly learningRate: number } | { readonly schedule: (step: number) => number },
    ) => {
      const seen: number[] = [];
      const events = (event: TrainingEvent) => event.event === 'step' && seen.push(event.learningRate);
      await finetune({ ...parts, epochs: 2, ...options }).train(toyModel(), { ...context, events });
      return seen;
    };
    const falling = await rates({ learningRate: 0.2 });
    expect(falling[0]).toBe(0.2);
    expect(falling[6]).toBeCloseTo(0.1, 12);
    expect(falling.at(-1)).toBeLessThan(0.004);
    expect(new Set(await rates({ schedule: constant({ value: 0.03 }) }))).toEqual(new Set([0.03]));
  });

  it('takes its first rate from the optimizer too, and its length from the training', async () => {
    const rates = async (options: Partial<Parameters<typeof finetune>[0]>) => {
      const seen: number[] = [];
      const events = (event: TrainingEvent) => event.event === 'step' && seen.push(event.learningRate);
      await finetune({ ...parts, epochs: 2, ...options }).train(toyModel(), { ...context, events });
      return seen;
    };
    const written = await rates({ learningRate: 0.2 });
    expect(await rates({ optimizer: sgd({ learningRate: 0.2 }) })).toEqual(written);
    expect(await rates({ optimizer: sgd({ lr: 0.2 }), learningRate: 0.2 })).toEqual(written);
    const cycle = await rates({ optimizer: sgd({ lr: 0.2 }), schedule: oneCycle() });
    expect(Math.max(...cycle)).toBeCloseTo(0.2, 2);
    expect(cycle.at(-1)).toBeLessThan(0.01);
    const fallen = await rates({ learningRate: 0.2, schedule: steps({ at: [1], unit: 'epochs' }) });
    expect(fallen).toEqual([...Array(6).fill(0.2), ...Array(6).fill(0.2 * 0.1)]);
    await expect(rates({ optimizer: sgd({ lr: 0.2 }), learningRate: 0.1 })).rejects.toThrow(/found 0.1, and 0.2 with/);
    await expect(rates({ learningRate: 0.2, schedule: () => 0.1 })).rejects.toThrow(
      /says 0.1 at step 0 whatever it is/,
    );
    expect(() => sgd({ lr: 0.2, learningRate: 0.1 })).toThrow(/optimizer sgd: expected one learning rate/);
  });

  it('lets weights decay by factors of their own', async () => {
    const norm = async (decays: readonly string[]) => {
      const optimizer = sgd({ weightDecay: 0.2, lr: 0.05 });
      const { graph } = await finetune({ ...parts, optimizer, epochs: 2, decays }).train(toyModel(), context);
      return ['conv.weight', 'fc.weight'].map((name) => Math.hypot(...toNumbers(graph.constants.get(name)!)));
    };
    const [usual, halved, none] = [await norm([]), await norm(['conv*=0.5']), await norm(['*=1', 'conv*=0'])];
    expect(halved[0]).toBeGreaterThan(usual[0]! * 1.02);
    expect(none[0]).toBeGreaterThan(halved[0]! * 1.02);
    expect(Math.abs(halved[1]! - usual[1]!)).toBeLessThan(usual[1]! * 0.2);
    await expect(norm(['conv*'])).rejects.toThrow(/NAME=VALUE/);
    await expect(norm(['cnov*=1'])).rejects.toThrow(/name a parameter of the model/);
  });

  it('measures batch norms anew at the end when asked, and the model with them', async () => {
    const options = { ...parts, epochs: 1, learningRate: 0.05 };
    const running = await finetune(options).train(toyModel(), context);
    const measured = await finetune({ ...options, batchNormBatches: 3 }).train(toyModel(), context);
    const mean = (graph: typeof running.graph) => toNumbers(graph.constants.get('bn.mean')!);
    expect(mean(measured.graph)).not.toEqual(mean(running.graph));
    expect(measured.metrics!['loss']).toBeLessThan(running.metrics!['loss']!);
  });

  it('passes every option on', async () => {
    const options = {
      ...parts,
      epochs: 9,
      patience: 1,
      evaluateEvery: 2,
      monitor: 'loss',
      freeze: ['conv*'],
      clipNorm: 0.01,
    };
    const seen: TrainingEvent[] = [];
    const trained = await finetune({ ...options, schedule: constant({ value: 0 }) }).train(toyModel(), {
      ...context,
      events: (event) => seen.push(event),
    });
    expect(seen.filter(({ event }) => event === 'evaluated').length).toBeGreaterThan(1);
    expect(trained.history.map(({ metrics }) => metrics !== undefined)).toEqual(
      trained.history.map(({ epoch }) => epoch % 2 === 0 || epoch === 9),
    );
    expect(toNumbers(trained.graph.constants.get('conv.weight')!)).toEqual(
      toNumbers(toyModel().constants.get('conv.weight')!),
    );
  });

  it('says which option is wrong', () => {
    expect(() => finetune({ ...parts, epochs: -1 })).toThrow(/trainer finetune.epochs/);
  });
});
