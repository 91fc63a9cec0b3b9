import {
  buildGraph,
  createRegistry,
  definePlugin,
  floats,
  type Graph,
  memoryFiles,
  type TrainerContext,
} from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { describe, expect, it } from 'vitest';
import { checkRecipe } from '../check-recipe.js';
import { recipeSchema } from '../recipe-schema.js';
import { runSteps } from '../run-steps.js';
import type { StepContext } from '../step.js';
import { trainStep } from './train.js';

/** Notes what it is given and tells of two epochs of two steps. */
function spy(reason: 'finished' | 'cancelled' = 'finished') {
  const calls: { readonly graph: Graph; readonly context: TrainerContext; readonly rate: number }[] = [];
  const plugin = definePlugin({
    kind: 'trainer',
    id: 'spy',
    about: 'Notes what it is given.',
    options: { rate: { type: 'number', default: 3, about: 'a number' } },
    create: ({ rate }) => ({
      async train(graph, context) {
        calls.push({ graph, context, rate });
        const counts = { steps: 4, stepsPerEpoch: 2, batch: 1, parameters: 0 };
        context.events?.({ event: 'start', ...counts, resumedAt: 1 });
        context.events?.({
          event: 'step',
          step: 3,
          loss: 0.5,
          learningRate: 1,
          imagesPerSecond: 9.6,
          secondsLeft: 1.2,
        });
        context.events?.({ event: 'epoch', epoch: 2, step: 4, loss: 0.25, learningRate: 1, metrics: { top1: 0.75 } });
        const done = { history: [], masks: new Map(), epochs: 2, steps: 4, seconds: 1, imagesPerSecond: 4 };
        return { graph, ...done, reason };
      },
    }),
  });
  return { calls, plugin };
}

const graph = (() => {
  const b = buildGraph();
  b.output(b.add('Relu', [b.input('x', 'float32', ['batch', 2])]));
  return b.finish();
})();
/** The same graph by another name. */
const named = (name: string): Graph => ({ ...graph, name });

const training = tensorSet({ name: 'two', fields: new Map([['x', floats([1, 2, 3, 4], [2, 2])]]) });

describe('a training step', () => {
  it('gives the trainer its options, the data, the seed and a folder of its own, and tells how it goes', async () => {
    const { calls, plugin } = spy();
    const shown: unknown[] = [];
    const executor = createOnnxRuntime();
    const context: StepContext = {
      registry: createRegistry([plugin]),
      executor,
      training,
      seed: 5,
      checkpoint: { files: {} as never, folder: 'state', resume: true },
      progress: (...line) => shown.push(line),
    };
    const reference = { use: 'spy', with: { rate: 7 } };
    const outcome = await trainStep.run(graph, { reference, where: 'steps[2].train', index: 2 }, context);
    expect(calls[0]!.rate).toBe(7);
    expect(calls[0]!.context).toMatchObject({ training, seed: 5, executor, checkpoint: { folder: 'state/step-2' } });
    expect(outcome.training).toMatchObject({ epochs: 2, steps: 4, reason: 'finished' });
    expect(shown).toEqual([
      ['resumed at step 1 of 4'],
      ['epoch 2', 0.5, 'loss 0.500, 10 samples/s, 2 s of training left'],
      ['epoch 2: training loss 0.2500, top1 0.7500'],
    ]);
  });

  it('hands over the teacher: the model as the recipe began, an architecture, or a file', async () => {
    const { calls, plugin } = spy();
    const tiny = definePlugin({
      kind: 'model',
      id: 'tiny',
      about: 'One activation.',
      options: { slope: { type: 'number', default: 0.5, about: 'of what is below zero' } },
      create: ({ slope }) => named(`tiny ${slope}`),
    });
    const files = memoryFiles(new Map([['net.txt', new TextEncoder().encode('net')]]));
    const reader = definePlugin({
      kind: 'import',
      id: 'text',
      about: 'Reads nothing but a name.',
      options: {},
      create: () => ({
        extensions: ['txt'],
        recognises: () => true,
        read: async (from, path) => named(new TextDecoder().decode(await from.read(path))),
      }),
    });
    const context = {
      registry: createRegistry([plugin, tiny, reader]),
      executor: {} as never,
      training,
      seed: 0,
      files,
      progress: () => {},
    };
    const steps = ['original', { use: 'tiny', with: { slope: 2 } }, 'net.txt'].map((teacher) => ({
      train: { use: 'spy', with: { teacher } },
    }));
    const run = await runSteps(graph, { espalier: 1, steps }, context);
    expect(calls.map((call) => call.context.teacher!.name)).toEqual([graph.name, 'tiny 2', 'net']);
    expect(calls[0]!.context.teacher!.nodes).toEqual(graph.nodes);
    expect(run.steps).toHaveLength(3);
    const step = (teacher: unknown) => ({
      reference: { use: 'spy', with: { teacher } },
      where: 'steps[0].train',
      index: 0,
    });
    await expect(trainStep.run(graph, step('original'), context)).rejects.toThrow(/steps\[0\].train.with.teacher/);
    await expect(trainStep.run(graph, step('no.onnx'), context)).rejects.toMatchObject({ code: 'FILE_MISSING' });
    await expect(trainStep.run(graph, step(3), context)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('ends the recipe when it is stopped, and shows nothing after that', async () => {
    const { plugin } = spy('cancelled');
    const stop = new AbortController();
    stop.abort();
    const context = {
      registry: createRegistry([plugin]),
      executor: {} as never,
      training,
      seed: 0,
      signal: stop.signal,
      checkpoint: { files: {} as never, folder: 'state' },
      progress: () => {
        throw new Error('nothing may be shown');
      },
    };
    const step = { reference: 'spy', where: 'steps[0].train', index: 0 };
    await expect(trainStep.run(graph, step, context)).rejects.toThrow(/after 4 training steps.*kept in state\/step-0/);
  });

  it('needs training data', async () => {
    const context = { registry: createRegistry([spy().plugin]), executor: {} as never, seed: 0, progress: () => {} };
    const step = { reference: 'spy', where: 'steps[0].train', index: 0 };
    await expect(trainStep.run(graph, step, context)).rejects.toMatchObject({ code: 'RECIPE_DATA' });
  });

  it('and its data and model are part of the form of recipes', () => {
    const recipe = {
      espalier: 1,
      model: { use: 'lenet5' },
      data: { training: 'npz:a.npz' },
      steps: [{ train: 'spy' }],
    };
    expect(checkRecipe(recipe)).toBe(recipe);
    expect(() => checkRecipe({ ...recipe, data: { trainig: 'npz:a.npz' } })).toThrow(/Did you mean "training"/);
    expect(() => checkRecipe({ ...recipe, model: 3 })).toThrow(/recipe.model/);
    const schema = JSON.stringify(recipeSchema(createRegistry([spy().plugin])));
    expect(schema).toContain('"train":{"$ref":"#/$defs/trainer"}');
    expect(schema).toContain('"training":{');
    expect(schema).toContain('"teacher":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/model"}]');
  });
});
