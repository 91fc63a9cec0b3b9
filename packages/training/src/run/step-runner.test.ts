import { adam } from '@espalier/autodiff';
import { type Executor, joinBytes, memoryFiles, type Session, type Trained } from '@espalier/core';
import { writeSafetensors } from '@espalier/safetensors';
import { cubic } from '@espalier/schedules';
import { createTensorCore } from '@espalier/tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLargest, toyRequest } from '../../test/toy.js';
import { train } from '../train.js';
import type { TrainRequest } from '../train-request.js';

const wasm = createTensorCore();
afterAll(() => wasm.close());

const bytesOf = ({ graph }: Trained) => Buffer.from(joinBytes(writeSafetensors({ tensors: graph.constants })));

/** An executor whose sessions feed back by `run` alone. */
const withoutLoops = (executor: Executor): Executor => ({
  ...executor,
  async open(graph) {
    const { loop: _, ...session } = await executor.open(graph);
    return session;
  },
});

/** An executor that writes down what comes to the host: the names fetched by each step, and `read` for all at once. */
function watched(executor: Executor): { readonly executor: Executor; readonly told: string[] } {
  const told: string[] = [];
  const open = async (graph: Parameters<Executor['open']>[0]): Promise<Session> => {
    const session = await executor.open(graph);
    return {
      ...session,
      async run(feeds, fetch = graph.outputs) {
        told.push(`run ${fetch.length}`);
        return session.run(feeds, fetch);
      },
      async loop(carried) {
        told.push('loop');
        const loop = await session.loop!(carried); // the executor has it
        return {
          ...loop,
          async step(feeds, fetch = []) {
            told.push(`step ${fetch.length}`);
            return loop.step(feeds, fetch);
          },
          async read(names) {
            told.push('read');
            return loop.read(names);
          },
        };
      },
    };
  };
  return { executor: { ...executor, open }, told };
}

/** What comes to the host in an epoch of six steps: losses. */
const six = Array<string>(6).fill('step 1');

/** A run that goes through all that touches weights. */
const everything: Partial<TrainRequest> = {
  optimizer: adam({ weightDecay: 0.01 }),
  clipNorm: 1,
  evaluateEvery: 2,
  keepBest: true,
  augment: { flip: true, crop: 1 },
  prune: keepLargest,
  phases: [
    { do: 'train', steps: 4 },
    { do: 'keep', name: 'early' },
    { do: 'train', steps: 5 },
    { do: 'prune', sparsity: 0.3 },
    { do: 'recover', steps: 4 },
    { do: 'rewind', to: 'early' },
    { do: 'ramp', steps: 12, every: 5, sparsity: cubic({ from: 0.3, to: 0.6, end: 12 }) },
    { do: 'freeze', parameters: 'conv*' },
    { do: 'train', steps: 5 },
    { do: 'unfreeze', parameters: 'conv*' },
    { do: 'reinitialise' },
    { do: 'train', steps: 3 },
  ],
};

describe('steps of a run', () => {
  it('fetch the loss alone, and read weights where evaluations and the end need them', async () => {
    const { executor, told } = watched(wasm);
    const evaluated = (name: string) => name !== 'run 1'; // batches of evaluations
    await train(toyRequest(executor, { epochs: 4, evaluateEvery: 2 }));
    expect(told.filter(evaluated)).toEqual(['loop', ...six, ...six, 'read', ...six, ...six, 'read']);
  });

  it('read weights for checkpoints and phases that touch them, once for each step', async () => {
    const { executor, told } = watched(wasm);
    const { evaluation: _, ...request } = toyRequest(executor, {
      phases: [
        { do: 'train', steps: 4 },
        { do: 'keep', name: 'early' },
        { do: 'ramp', steps: 4, every: 2, sparsity: cubic({ to: 0.5, end: 4 }) },
        { do: 'rewind', to: 'early' },
        { do: 'train', steps: 2 },
      ],
      prune: keepLargest,
      checkpoint: { files: memoryFiles(), folder: 'run', every: 3 },
    });
    await train(request);
    const s = 'step 1';
    const begun = ['loop', s, s, s, 'read', s, 'read'];
    const ramp = ['loop', s, s, 'read', 'loop', s, s, 'read'];
    expect(told).toEqual([...begun, ...ramp, 'loop', s, 'read', s, 'read']);
  });

  it('read weights for a run that is cancelled', async () => {
    const { executor, told } = watched(wasm);
    const stop = new AbortController();
    const events: TrainRequest['events'] = (event) => event.event === 'step' && event.step === 2 && stop.abort();
    const cut = await train(toyRequest(executor, { signal: stop.signal, events }));
    expect(told).toEqual(['loop', 'step 1', 'step 1', 'read']);
    const two = await train(toyRequest(withoutLoops(wasm), { signal: AbortSignal.abort(), events: () => {} }));
    expect(two.steps).toBe(1);
    expect(cut.graph.constants.get('fc.bias')).not.toEqual(two.graph.constants.get('fc.bias'));
  });

  it('feed tensors back where a projection changes them', async () => {
    const { executor, told } = watched(wasm);
    await train(toyRequest(executor, { epochs: 1, project: (weights) => ({ weights }) }));
    expect(told).not.toContain('loop');
  });

  it('give the same bytes, history and metrics in a loop and fed back', async () => {
    const looped = await train(toyRequest(wasm, everything));
    const fed = await train(toyRequest(withoutLoops(wasm), everything));
    expect(looped.steps).toBe(33);
    expect(bytesOf(looped).equals(bytesOf(fed))).toBe(true);
    expect([looped.history, looped.metrics, looped.masks]).toEqual([fed.history, fed.metrics, fed.masks]);
  });

  it('go on to the same bytes from any step, in a loop and fed back by turns', async () => {
    const whole = await train(toyRequest(wasm, everything));
    for (const every of [1, 4]) {
      const place = { files: memoryFiles(), folder: 'run', every, resume: true };
      let last: Trained | undefined;
      for (const [i, stopAt] of [3, 9, 14, 21, 26, 99].entries()) {
        const stop = new AbortController();
        const executor = i % 2 === 0 ? wasm : withoutLoops(wasm);
        const events: TrainRequest['events'] = (event) =>
          event.event === 'step' && event.step === stopAt && stop.abort();
        last = await train(toyRequest(executor, { ...everything, checkpoint: place, signal: stop.signal, events }));
      }
      expect(bytesOf(last!).equals(bytesOf(whole))).toBe(true);
      expect(last!.history).toEqual(whole.history);
    }
  });

  it('go on to the same bytes after a run broke off between checkpoints', async () => {
    const whole = await train(toyRequest(wasm, everything));
    const checkpoint = { files: memoryFiles(), folder: 'run', every: 4, resume: true };
    for (const stopAt of [3, 10, 15, 18, 31]) {
      const events: TrainRequest['events'] = (event) => {
        if (event.event === 'step' && event.step === stopAt) throw new Error('broken off');
      };
      await expect(train(toyRequest(wasm, { ...everything, checkpoint, events }))).rejects.toThrow('broken off');
    }
    const last = await train(toyRequest(wasm, { ...everything, checkpoint }));
    expect(bytesOf(last).equals(bytesOf(whole))).toBe(true);
  });

  it('say that a loss is not finite in a loop too, and free its tensors', async () => {
    const heap = { left: 0 };
    const counting: Executor = {
      ...wasm,
      async open(graph) {
        const session = await wasm.open(graph);
        return {
          ...session,
          async loop(carried) {
            heap.left++;
            const loop = await session.loop!(carried); // the executor has it
            return { ...loop, close: () => loop.close().then(() => void heap.left--) };
          },
        };
      },
    };
    const run = train(toyRequest(counting, { schedule: () => 1e30, epochs: 2 }));
    await expect(run).rejects.toMatchObject({ code: 'TRAINING_NOT_FINITE' });
    expect(heap.left).toBe(0);
  });
});
