import { crossEntropy, sgd } from '@espalier/autodiff';
import {
  definePlugin,
  joinBytes,
  memoryFiles,
  type Trained,
  type TrainerContext,
  type TrainingEvent,
  toNumbers,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { magnitude, randomPruner } from '@espalier/pruners';
import { writeSafetensors } from '@espalier/safetensors';
import { constant, cyclical, linear } from '@espalier/schedules';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLargest, toyData, toyModel } from '../../test/toy.js';
import { train } from '../train.js';
import { sparsify } from './sparsify.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const context: TrainerContext = { training: toyData(96), evaluation: toyData(30, 6), executor, seed: 1 };
const parts = { pruner: magnitude(), optimizer: sgd({ lr: 0.05 }), loss: crossEntropy(), batch: 16 };
type Options = Parameters<typeof sparsify>[0];

/** A run on the toy, six steps an epoch, with what it told. */
async function run(options: Partial<Options>, changes: Partial<TrainerContext> = {}) {
  const events: TrainingEvent[] = [];
  const trained = await sparsify({ ...parts, ...options }).train(toyModel(), {
    ...context,
    ...changes,
    events(event) {
      events.push(event);
      changes.events?.(event);
    },
  });
  const of = <E extends TrainingEvent['event']>(name: E) =>
    events.filter((event): event is Extract<TrainingEvent, { event: E }> => event.event === name);
  return { trained, of };
}

const zeros = ({ graph }: Trained, name: string) =>
  toNumbers(graph.constants.get(name)!).filter((value) => value === 0).length;
const bytesOf = ({ graph }: Trained) => Buffer.from(joinBytes(writeSafetensors({ tensors: graph.constants })));

describe('sparsify', () => {
  it('raises the sparsity along a cubic while it trains, and says what it reached', async () => {
    const { trained, of } = await run({ sparsity: 0.75, before: 1, ramp: 2, rampEvery: 4, after: 1 });
    const asked = of('pruned').map(({ sparsity }) => sparsity);
    const cubic = [0, 4, 8, 12].map((step) => 0.75 * (1 - (1 - step / 12) ** 3));
    expect(asked).toHaveLength(4);
    for (const [i, each] of cubic.entries()) expect(asked[i]).toBeCloseTo(each, 12);
    expect([zeros(trained, 'conv.weight'), zeros(trained, 'fc.weight')]).toEqual([54, 18]);
    expect(trained.sparsity).toBe(0.75);
    const reached = of('pruned')[2]!.reached; // in the third epoch, and to its end
    expect(trained.history.map(({ sparsity }) => sparsity)).toEqual([
      undefined,
      of('pruned')[1]!.reached,
      reached,
      0.75,
    ]);
    expect(trained.notes!.map(({ value, outcome, details }) => [value, outcome, details?.['zeros']])).toEqual([
      ['conv.weight', 'pruned', 54],
      ['fc.weight', 'pruned', 18],
      [undefined, 'warning', undefined],
    ]);
    expect(trained.steps).toBe(24);
  });

  it('prunes at once, by the options of pruning: scope, layers to leave, targets of their own', async () => {
    const { trained } = await run({ mode: 'one-shot', sparsity: 0.5, ignore: ['fc*'], before: 0.5, after: 0.5 });
    expect([zeros(trained, 'conv.weight'), zeros(trained, 'fc.weight'), trained.steps]).toEqual([36, 0, 6]);
    const global = await run({ mode: 'one-shot', sparsity: 0.5, scope: 'global', overrides: ['fc*=0.25'], after: 0 });
    expect(zeros(global.trained, 'fc.weight')).toBe(6);
    expect(zeros(global.trained, 'conv.weight')).toBe(36);
  });

  it('finds lottery tickets: what survives returns to early weights, round after round', async () => {
    const options = {
      mode: 'iterative',
      sparsity: 0.64,
      rounds: 2,
      roundEpochs: 1,
      between: 'rewind',
      warm: 0.5,
    } as const;
    const { trained, of } = await run(options);
    expect(of('phase').map((phase) => phase.do)).toEqual([
      ...['train', 'keep', 'train', 'prune', 'rewind', 'recover', 'prune', 'rewind', 'recover'],
    ]);
    expect(of('pruned').map(({ sparsity }) => sparsity.toFixed(6))).toEqual(['0.400000', '0.640000']);
    expect(trained.sparsity).toBeCloseTo(0.64, 1);
    expect(trained.steps).toBe(3 + 3 * 6);
    const rates = of('step').map(({ learningRate }) => learningRate);
    expect(rates.slice(9, 15)).toEqual(rates.slice(3, 9)); // each round follows the schedule from where the first began
    expect(rates.slice(15)).toEqual(rates.slice(3, 9));
    const { warm: _, ...lengths } = options;
    const reinitialised = await run({ ...lengths, between: 'reinitialise' });
    expect(reinitialised.of('phase').map((phase) => phase.do)).toContain('reinitialise');
  });

  it('lets pruned weights return with their values where the schedule falls back', async () => {
    const rate = constant({ value: 0 }); // nothing moves but the masks
    const options = {
      sparsity: 0.5,
      ramp: 2,
      rampEvery: 1,
      rampSchedule: cyclical({ cycles: 2, rise: 0.5 }),
      after: 0,
    };
    const seen: number[] = [];
    const { trained, of } = await run({ ...options, optimizer: sgd(), schedule: rate });
    for (const { reached } of of('pruned')) seen.push(Math.round(reached * 96));
    expect(seen[0]).toBe(0);
    expect(seen[5]).toBe(48);
    expect(seen[6]).toBe(0); // the second cycle begins with all weights again
    expect(seen.at(-1)).toBe(48);
    const before = toNumbers(toyModel().constants.get('conv.weight')!);
    const kept = toNumbers(trained.graph.constants.get('conv.weight')!);
    expect(kept.every((value, i) => value === 0 || value === before[i])).toBe(true);
  });

  it('chooses anew among returned weights by the values they were pruned with', async () => {
    const options = {
      sparsity: 0.5,
      ramp: 2,
      rampEvery: 6,
      after: 0,
      optimizer: sgd(),
      schedule: constant({ value: 0 }),
    };
    const rampSchedule = (step: number) => (step === 6 ? 0.25 : 0.5);
    const { trained } = await run({ ...options, rampSchedule });
    const straight = await run({ ...options, rampSchedule: () => 0.5 });
    const weights = ({ graph }: Trained) => toNumbers(graph.constants.get('conv.weight')!);
    expect(weights(trained)).toEqual(weights(straight.trained));
  });

  it("is driven by a third party's schedule", async () => {
    const stairs = definePlugin({
      kind: 'schedule',
      id: 'stairs',
      about: 'Rises in steps of the same height.',
      options: { count: { type: 'integer', default: 3, min: 1, about: 'how many steps there are' } },
      create:
        ({ count }) =>
        (step, span = { steps: 1 }) => {
          const { from = 0, to = 1, steps } = span;
          return from + (to - from) * Math.min(1, Math.floor((step / steps) * count + 1) / count);
        },
    });
    const { of } = await run({ sparsity: 0.6, ramp: 1, rampEvery: 2, rampSchedule: stairs({}), after: 0 });
    expect(of('pruned').map(({ sparsity }) => sparsity.toFixed(6))).toEqual([
      '0.200000',
      '0.400000',
      '0.600000',
      '0.600000',
    ]);
  });

  it('lets patterns decay to theirs', async () => {
    const options = { granularity: '2:8', only: ['fc*'], ramp: 1, rampEvery: 2, after: 0 };
    const { trained, of } = await run({ ...options, rampSchedule: linear() });
    expect(of('pruned').map(({ reached }) => reached)).toEqual([0, 0.25, 0.5, 0.75]);
    const rows = toNumbers(trained.graph.constants.get('fc.weight')!);
    for (let row = 0; row < 3; row++) {
      expect(rows.slice(row * 8, row * 8 + 8).filter((value) => value !== 0)).toHaveLength(2);
    }
  });

  it('freezes and frees parameters once the last pruning is done', async () => {
    const options = { mode: 'one-shot', sparsity: 0.5, before: 1, after: 1 } as const;
    const { of } = await run({ ...options, freeze: ['bn*'], unfreeze: ['bn*'], freezeAfter: ['conv*'] });
    expect(of('phase').map((phase) => phase.do)).toEqual(['train', 'prune', 'unfreeze', 'freeze', 'recover']);
    await expect(run({ ...options, unfreeze: ['bn*'] })).rejects.toThrow(/nothing, as `freeze` is empty, found "bn\*"/);
    await expect(run({ ...options, freezeAfter: ['cnov*'] })).rejects.toThrow(
      /name a parameter of the model, found "cnov\*"/,
    );
  });

  it('keeps the best weights of those that are pruned as far as asked', async () => {
    const { trained, of } = await run({ sparsity: 0.9, ramp: 3, after: 3, keepBest: true, monitor: 'loss' });
    expect(
      of('evaluated')
        .map(({ best }) => best)
        .slice(0, 2),
    ).toEqual([false, false]);
    const after = trained.history.slice(3).map(({ metrics }) => metrics!['loss']!);
    expect(trained.metrics!['loss']).toBe(Math.min(...after));
    expect(zeros(trained, 'conv.weight')).toBe(65);
    await expect(run({ sparsity: 0.5, after: 0, patience: 1 })).rejects.toThrow(/training after the last pruning/);
  });

  it('goes on to the same bytes from a checkpoint, and refuses those of another plan or pruner', async () => {
    const options = {
      sparsity: 0.8,
      ramp: 2,
      rampEvery: 2,
      rampSchedule: cyclical({ cycles: 2 }),
      after: 1,
      checkpointEvery: 1,
    };
    const whole = await run(options);
    const [files, stop] = [memoryFiles(), new AbortController()];
    const checkpoint = { files, folder: 'run', resume: true };
    const cut = await run(options, {
      checkpoint,
      signal: stop.signal,
      events: (event) => event.event === 'step' && event.step === 8 && stop.abort(),
    });
    expect(cut.trained.reason).toBe('cancelled');
    const resumed = await run(options, { checkpoint });
    expect(resumed.of('start')[0]!.resumedAt).toBe(8);
    expect(bytesOf(resumed.trained).equals(bytesOf(whole.trained))).toBe(true);
    expect(resumed.trained.history).toEqual(whole.trained.history);
    for (const change of [{ scope: 'global' as const }, { pruner: randomPruner() }, { ramp: 1 }]) {
      await expect(run({ ...options, ...change }, { checkpoint })).rejects.toMatchObject({
        code: 'CHECKPOINT_OTHER_RUN',
      });
    }
  });

  it('asks for the statistics that a pruner needs', async () => {
    const need = { statistic: 'range', value: 'image' } as const;
    const scores: number[] = [];
    const pruner = {
      needs: () => [need],
      score: ({ weight }: { weight: { data: ArrayLike<unknown> } }, evidence: { samples: number }) => {
        scores.push(evidence.samples);
        return Float32Array.from({ length: weight.data.length }, (_, i) => i + 1);
      },
    };
    const options = { mode: 'one-shot', sparsity: 0.5, pruner, after: 0 } as const;
    await expect(run(options)).rejects.toThrow(/data for the statistics that it needs/);
    const asked: unknown[] = [];
    await run(options, {
      async evidence(_, needs) {
        asked.push(...needs);
        return { samples: 7, find: () => undefined };
      },
    });
    expect([asked, scores]).toEqual([[need], [7, 7]]);
  });

  it.each([
    [
      'a length of another mode',
      { mode: 'one-shot', ramp: 3 },
      /sparsify.ramp: expected mode: gradual for this option, found mode: one-shot/,
    ],
    ['rounds beside a ramp', { rounds: 5 }, /sparsify.rounds: expected mode: iterative/],
    [
      'warm epochs without rewinding',
      { mode: 'iterative', warm: 1 },
      /between: rewind for this option, found between: continue/,
    ],
    ['a ramp that ends elsewhere', { rampSchedule: linear({ to: 0.4 }) }, /ends at 0.5, the sparsity, found 0.4/],
    ['a ramp beyond everything', { rampSchedule: () => 1.5 }, /up to, but not including, 1, found 1.5 at step 0/],
    ['a sparsity of everything', { sparsity: 1 }, /not including, 1/],
    ['a sparsity beside another pattern', { granularity: '2:4', sparsity: 0.6 }, /PRUNE|sparsity/],
    ['whole channels', { granularity: 'channel' }, /channel/],
    ['two learning rates', { learningRate: 0.2 }, /one learning rate, found 0.2, and 0.05 with the optimizer/],
    ['a rate that its schedule ignores', { schedule: constant({ value: 1 }) }, /a schedule that begins from it/],
  ] as const)('refuses %s', async (_, options, message) => {
    await expect((async () => run(options as Partial<Options>))()).rejects.toThrow(message);
  });
});

describe('phases whose sparsity falls', () => {
  it('regrow weights that earlier phases pruned', async () => {
    const { pruner: _, ...shared } = parts;
    const trained = await train({
      ...shared,
      model: toyModel(),
      training: context.training,
      executor,
      seed: 1,
      optimizer: sgd(),
      schedule: () => 0,
      prune: keepLargest,
      phases: [
        { do: 'prune', sparsity: 0.75 },
        { do: 'train', steps: 2 },
        { do: 'prune', sparsity: 0.25 },
      ],
    });
    const weights = toNumbers(trained.graph.constants.get('conv.weight')!);
    expect(weights.filter((value) => value === 0)).toHaveLength(18);
    const before = toNumbers(toyModel().constants.get('conv.weight')!);
    expect(weights.every((value, i) => value === 0 || value === before[i])).toBe(true);
  });
});
