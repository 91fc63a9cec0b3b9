import { distillation, parametersOf, sgd, trainingForm } from '@espalier/autodiff';
import {
  floats,
  joinBytes,
  memoryFiles,
  type Tensor,
  type Trained,
  type TrainingEvent,
  toNumbers,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { writeSafetensors } from '@espalier/safetensors';
import { cubic, phasePlan } from '@espalier/schedules';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLargest, toyData, toyModel, toyRequest, withTarget } from '../test/toy.js';
import { train } from './train.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const bytesOf = ({ graph }: Trained) => Buffer.from(joinBytes(writeSafetensors({ tensors: graph.constants })));
const weight = ({ graph }: Pick<Trained, 'graph'>, name: string): Tensor => graph.constants.get(name)!;

describe('train', () => {
  it('learns, and says what it does in order', async () => {
    const events: TrainingEvent[] = [];
    const trained = await train(toyRequest(executor, { events: (event) => events.push(event) }));
    expect(trained.metrics!['top1']).toBeGreaterThan(0.9);
    expect(trained).toMatchObject({ epochs: 5, steps: 30, reason: 'finished' });
    expect(events[0]).toEqual({
      event: 'start',
      steps: 30,
      stepsPerEpoch: 6,
      batch: 16,
      parameters: 115,
      resumedAt: 0,
    });
    const names = events.map(({ event }) => event);
    expect(names.slice(1, 10)).toEqual(['phase', ...Array(6).fill('step'), 'epoch', 'evaluated']);
    expect(names.at(-1)).toBe('stopped');
    const steps = events.filter((event) => event.event === 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(steps.at(-1)!.secondsLeft).toBe(0);
    expect(trained.history.at(-1)!.loss).toBeLessThan(trained.history[0]!.loss / 2);
    expect(structuredClone(events)).toEqual(events);
  });

  it('refuses what a request does not have, from callers without types', async () => {
    const request = toyRequest(executor);
    await expect(train({ ...request, ...{ learningRate: 0.1 } })).rejects.toThrow(
      /^train: expected one of the options .*found "learningRate". It is called schedule now\./,
    );
    await expect(train({ ...request, ...{ patiense: 3 } })).rejects.toThrow(/Did you mean "patience"\?/);
  });

  it('leaves the model it was given as it was, and trains a graph of the same form', async () => {
    const model = toyModel();
    const before = toNumbers(model.constants.get('conv.weight')!);
    const { graph } = await train(toyRequest(executor, { model, epochs: 1 }));
    expect(toNumbers(model.constants.get('conv.weight')!)).toEqual(before);
    expect(graph.nodes).toEqual(model.nodes);
    expect([...graph.constants.keys()]).toEqual([...model.constants.keys()]);
    expect(toNumbers(graph.constants.get('bn.mean')!)).not.toEqual(toNumbers(model.constants.get('bn.mean')!));
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const run = (seed: number) => train(toyRequest(executor, { seed, augment: { flip: true, crop: 1 } }));
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(bytesOf(a).equals(bytesOf(b))).toBe(true);
    expect(bytesOf(a).equals(bytesOf(c))).toBe(false);
  });

  it('keeps masked weights at zero and moves the others', async () => {
    const masks = keepLargest(toyModel(), 0.5);
    const trained = await train(toyRequest(executor, { masks }));
    for (const [name, mask] of masks) {
      const zeros = [...weight(trained, name).data].map((value) => Number(value !== 0));
      expect(zeros).toEqual(toNumbers(mask));
    }
    expect(trained.history.at(-1)!.loss).toBeLessThan(trained.history[0]!.loss * 0.8);
  });

  it('does not move frozen parameters', async () => {
    const trained = await train(toyRequest(executor, { freeze: ['conv*'] }));
    expect(toNumbers(weight(trained, 'conv.weight'))).toEqual(toNumbers(toyModel().constants.get('conv.weight')!));
    expect(toNumbers(weight(trained, 'fc.weight'))).not.toEqual(toNumbers(toyModel().constants.get('fc.weight')!));
  });

  it('applies a projection after each update, counting from 1', async () => {
    const seen: number[] = [];
    const trained = await train(
      toyRequest(executor, {
        epochs: 1,
        project(weights, { step, before, memory }) {
          seen.push(step);
          expect(before.get('fc.bias')!.data[0]).toBe(step === 1 ? toyModel().constants.get('fc.bias')!.data[0] : 7);
          expect(memory.get('last')?.data[0] ?? 0).toBe(step - 1);
          return {
            weights: new Map([...weights, ['fc.bias', floats([7, 7, 7])]]),
            memory: new Map([['last', floats([step], [])]]),
          };
        },
      }),
    );
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(toNumbers(weight(trained, 'fc.bias'))).toEqual([7, 7, 7]);
  });

  it('limits the gradients when asked', async () => {
    const [free, clipped] = [{}, { clipNorm: 1e-4 }].map((options) =>
      train(toyRequest(executor, { epochs: 1, ...options })),
    );
    const moved = async (run: Promise<Trained>) => {
      const [after, before] = [weight(await run, 'conv.weight'), toyModel().constants.get('conv.weight')!];
      return Math.hypot(...toNumbers(after).map((value, i) => value - toNumbers(before)[i]!));
    };
    expect(await moved(clipped!)).toBeLessThan(1e-3);
    expect(await moved(free!)).toBeGreaterThan(1e-2);
  });
});

describe('early stopping', () => {
  it('ends after so many evaluations without a better one and returns the best weights', async () => {
    const requested = {
      epochs: 20,
      patience: 2,
      monitor: 'loss',
      schedule: (step: number) => (step < 12 ? 0.1 : -0.05),
    };
    const trained = await train(toyRequest(executor, requested));
    expect(trained.reason).toBe('early-stopping');
    const losses = trained.history.map(({ metrics }) => metrics!['loss']!);
    const best = losses.indexOf(Math.min(...losses));
    expect(trained.epochs).toBe(best + 1 + 2);
    expect(trained.metrics!['loss']).toBe(losses[best]);
    const short = await train(toyRequest(executor, { ...requested, patience: 20, epochs: best + 1 }));
    expect(bytesOf(trained).equals(bytesOf(short))).toBe(true);
  });
});

describe('numbers that are not finite', () => {
  it('end a run with the step, the learning rate and what to do', async () => {
    const run = train(toyRequest(executor, { schedule: (step) => (step === 2 ? Number.POSITIVE_INFINITY : 0.1) }));
    await expect(run).rejects.toMatchObject({ code: 'TRAINING_NOT_FINITE', details: { step: 4, learningRate: 0.1 } });
    await expect(run).rejects.toThrow(
      /step 4, learning rate 0.1: expected a loss that is finite, found NaN. Lower the learning rate/,
    );
  });

  it('are found in the weights when the last update made them', async () => {
    const run = train(
      toyRequest(executor, {
        steps: 3,
        evaluation: undefined as never,
        schedule: (step) => (step === 2 ? Infinity : 0.1),
      }),
    );
    await expect(run).rejects.toThrow(/expected weights that are finite/);
  });
});

describe('phases', () => {
  it('run in order, and each leaves what it should', async () => {
    const told: string[] = [];
    const sparsities: number[] = [];
    const trained = await train(
      toyRequest(executor, {
        phases: [
          { do: 'train', steps: 3 },
          { do: 'keep', name: 'early' },
          { do: 'train', steps: 3 },
          { do: 'prune', sparsity: 0.5 },
          { do: 'rewind', to: 'early' },
          { do: 'freeze', parameters: 'fc*' },
          { do: 'recover', steps: 4 },
          { do: 'unfreeze', parameters: 'fc*' },
          { do: 'ramp', steps: 6, every: 2, sparsity: cubic({ from: 0.5, to: 0.75, end: 4 }) },
          { do: 'reinitialise' },
        ],
        prune: keepLargest,
        events(event) {
          if (event.event === 'phase') told.push(`${event.do} ${event.step}`);
          if (event.event === 'pruned') sparsities.push(event.sparsity);
        },
      }),
    );
    expect(told).toEqual([
      'train 0',
      'keep 3',
      'train 3',
      'prune 6',
      'rewind 6',
      'freeze 6',
      'recover 6',
      'unfreeze 10',
      'ramp 10',
      'reinitialise 16',
    ]);
    expect(sparsities).toEqual([0.5, 0.5, 0.71875, 0.75]);
    expect(trained.steps).toBe(16);
    for (const [name, mask] of trained.masks) {
      expect([...weight(trained, name).data].map((value) => Number(value !== 0))).toEqual(toNumbers(mask));
    }
  });

  it('rewind surviving weights to what was kept', async () => {
    const kept = await train(toyRequest(executor, { phases: [{ do: 'train', steps: 4 }] }));
    const back = await train(
      toyRequest(executor, {
        phases: phasePlan({ mode: 'iterative', sparsity: 0.5, rounds: 1, warm: 4, steps: 5, between: 'rewind' }).slice(
          0,
          -1,
        ),
        prune: keepLargest,
      }),
    );
    const mask = toNumbers(back.masks.get('conv.weight')!);
    const expected = toNumbers(weight(kept, 'conv.weight')).map((value, i) => value * mask[i]!);
    expect(toNumbers(weight(back, 'conv.weight')).map((value) => value + 0)).toEqual(
      expected.map((value) => value + 0),
    );
  });

  it('freeze parameters at the values they have then', async () => {
    const first = await train(toyRequest(executor, { phases: [{ do: 'train', steps: 4 }] }));
    const frozen = await train(
      toyRequest(executor, {
        phases: [
          { do: 'train', steps: 4 },
          { do: 'freeze', parameters: '*.weight' },
          { do: 'train', steps: 4 },
        ],
      }),
    );
    expect(toNumbers(weight(frozen, 'conv.weight'))).toEqual(toNumbers(weight(first, 'conv.weight')));
    expect(toNumbers(weight(frozen, 'fc.bias'))).not.toEqual(toNumbers(weight(first, 'fc.bias')));
  });

  it('that prune need a function that does', async () => {
    await expect(train(toyRequest(executor, { phases: [{ do: 'prune', sparsity: 0.5 }] }))).rejects.toThrow(/`prune`/);
    await expect(train(toyRequest(executor, { phases: [{ do: 'rewind', to: 'x' }] }))).rejects.toThrow(
      /phase 0, rewind/,
    );
  });
});

describe('checkpoints', () => {
  it('go on to the same bytes from every one of them', async () => {
    const whole = await train(toyRequest(executor, { augment: { crop: 1 } }));
    for (const stopAt of [1, 6, 17]) {
      const stop = new AbortController();
      const files = memoryFiles();
      const request = toyRequest(executor, {
        augment: { crop: 1 },
        checkpoint: { files, folder: 'run', every: 4, resume: true },
      });
      const cut = await train({
        ...request,
        signal: stop.signal,
        events: (event) => event.event === 'step' && event.step === stopAt && stop.abort(),
      });
      expect([cut.reason, cut.steps]).toEqual(['cancelled', stopAt]);
      const resumed = await train(request);
      expect(bytesOf(resumed).equals(bytesOf(whole))).toBe(true);
      expect(resumed.history).toEqual(whole.history);
      expect((await train(request)).steps).toBe(30); // finished runs have nothing left to do
    }
  });

  it('of another run are refused, and of none begin anew', async () => {
    const files = memoryFiles();
    const checkpoint = { files, folder: '', resume: true };
    const started: number[] = [];
    const events = (event: TrainingEvent) => event.event === 'start' && started.push(event.resumedAt);
    await train(toyRequest(executor, { epochs: 1, checkpoint, events }));
    expect(started).toEqual([0]);
    for (const change of [
      { seed: 9 },
      { optimizer: sgd({ momentum: 0.5 }) },
      { training: toyData(64) },
      { batch: 8 },
    ]) {
      await expect(train(toyRequest(executor, { epochs: 1, checkpoint, ...change }))).rejects.toMatchObject({
        code: 'CHECKPOINT_OTHER_RUN',
      });
    }
  });

  it('tell teachers apart by all they are made of, int64 tensors in attributes included', async () => {
    const files = memoryFiles();
    const run = (folds: readonly number[]) =>
      train(
        toyRequest(executor, {
          epochs: 1,
          loss: distillation(),
          teacher: withTarget(toyModel(), folds),
          checkpoint: { files, folder: '', resume: true },
        }),
      );
    const first = await run([0, -1]);
    expect(bytesOf(await run([0, -1])).equals(bytesOf(first))).toBe(true);
    await expect(run([-1, 3])).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });
  });

  it('that are damaged are refused when there is no other', async () => {
    const files = memoryFiles(new Map([['run/checkpoint.safetensors', new Uint8Array(3)]]));
    const run = train(toyRequest(executor, { checkpoint: { files, folder: 'run', resume: true } }));
    await expect(run).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});

describe('a request', () => {
  it.each([
    ['without a length', { epochs: undefined as never }, /one of `epochs`, `steps`/],
    ['with two lengths', { epochs: 1, steps: 3 }, /found 2 of them/],
    ['with a batch larger than the data', { batch: 1000 }, /from 1 to 96/],
    [
      'with fields that are not there',
      { target: 'class' },
      /a field "class" with the targets, found fields image, label/,
    ],
    ['with no patience at all', { patience: 0 }, /patience: expected a whole number of 1 or more, found 0/],
    ['with an unknown metric', { monitor: 'top5' }, /one of the metrics top1, loss, found "top5"/],
    [
      'that stops early without data to judge by',
      { evaluation: undefined as never, patience: 1 },
      /evaluation data to judge by/,
    ],
  ])('%s is refused', async (_, change, message) => {
    await expect(train(toyRequest(executor, change))).rejects.toThrow(message);
  });

  it('for a model of a fixed batch size takes that size alone', async () => {
    const model = toyModel();
    const values = new Map([...model.values, ['image', { dtype: 'float32', shape: [4, 1, 8, 8] } as const]]);
    await expect(train(toyRequest(executor, { model: { ...model, values } }))).rejects.toThrow(
      /4, the only batch size/,
    );
  });

  it('names parameters as the model does', () => {
    expect(parametersOf(trainingForm(toyModel())).map(({ value }) => value)).toContain('conv.weight');
  });
});
