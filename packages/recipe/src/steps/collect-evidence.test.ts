import {
  type AnyPlugin,
  type Collector,
  createRandom,
  createRegistry,
  type Dataset,
  definePlugin,
  floats,
  longs,
  type Need,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { activation, channelPruning, magnitude, taylor, weightPruning } from '@espalier/pruners';
import { afterAll, describe, expect, it } from 'vitest';
import { convNet } from '../../../../test/small-nets.js';
import { portsOf } from '../model-ports.js';
import type { StepContext } from '../step.js';
import { stepContext } from '../step-context.js';
import { collectEvidence } from './collect-evidence.js';
import { pruneStep } from './prune.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const net = convNet();
const random = createRandom(3);
const set = (size: number, labelled: boolean): Dataset =>
  tensorSet({
    name: 'noise',
    fields: new Map<string, Tensor>([
      ['x', floats(Float32Array.from({ length: size * 128 }, random.normal), [size, 2, 8, 8])],
      ...(labelled ? [['label', longs(Array.from({ length: size }, (_, i) => i % 3))] as const] : []),
    ]),
  });
const context = (data: { readonly calibration?: Dataset; readonly training?: Dataset }): StepContext =>
  stepContext(
    {
      recipe: { espalier: 1, steps: [] },
      registry: createRegistry([taylor, magnitude, activation, weightPruning, channelPruning]),
      executor,
      files: {} as never, // nothing here reads files
    },
    data,
    portsOf(net),
  );
const where = 'steps[0].prune';
const gradient: Need = { statistic: 'gradient', value: 'conv.weight', power: 1 };
const collect = (data: Parameters<typeof context>[0], needs: readonly Need[] = [gradient], samples?: number) =>
  collectEvidence(net, needs, { where, context: context(data), ...(samples ? { samples } : {}) });

describe('evidence for a step', () => {
  it('takes labels from the training data where gradients are needed, so many at most', async () => {
    const { samples, target } = await collect({ calibration: set(4, false), training: set(9, true) });
    expect([samples, target]).toEqual([9, 'labels']);
    expect((await collect({ training: set(9, true) }, [gradient], 6)).samples).toBe(6);
    const range: Need = { statistic: 'range', value: 'x' };
    expect((await collect({ calibration: set(4, false), training: set(9, true) }, [range])).samples).toBe(4);
  });

  it('takes labels from the calibration data otherwise, and does without where there are none', async () => {
    expect((await collect({ calibration: set(4, true) })).target).toBe('labels');
    expect((await collect({ calibration: set(4, false) })).target).toBe('predictions');
    const unlabelled = await collect({ calibration: set(4, true), training: set(9, false) });
    expect([unlabelled.samples, unlabelled.target]).toEqual([4, 'labels']);
    await expect(collect({})).rejects.toMatchObject({ code: 'RECIPE_DATA' });
  });
});

declare module '@espalier/core' {
  interface Statistics {
    acmeCount: { ask: { value: string }; answer: number };
  }
}

describe('a statistic of a plugin', () => {
  /** How many elements of a value are above zero. */
  const acmeCount = definePlugin({
    kind: 'statistic',
    id: 'acmeCount',
    about: 'Counts elements above zero.',
    options: {},
    create: (): Collector<'acmeCount'> => ({
      values: ({ value }) => [value],
      probe({ value }, { builder, reduce, asFloat }) {
        let count = 0;
        const above = builder.add('Sign', [builder.add('Relu', [asFloat(value)])]);
        return {
          fetch: [reduce('ReduceSum', above)],
          add([found]) {
            count += toNumbers(found!)[0]!;
          },
          answer: () => count,
        };
      },
    }),
  });
  const need: Need = { statistic: 'acmeCount', value: 'x' };
  const samples = set(4, false);
  const withPlugins = (plugins: readonly AnyPlugin[]) => {
    const base = context({ calibration: samples });
    return { where, context: { ...base, registry: base.registry.with('acme', plugins) } };
  };

  it('is collected for the steps of a recipe, under its own name', async () => {
    const evidence = await collectEvidence(net, [need], withPlugins([acmeCount]));
    const values = toNumbers((await samples.read([0, 1, 2, 3])).get('x')!);
    expect(evidence.find(need)).toBe([...values].filter((value) => value > 0).length);
    await expect(collectEvidence(net, [need], withPlugins([]))).rejects.toThrow(/Plugins of kind `statistic`/);
  });

  it('takes no name that is in use', async () => {
    const range = definePlugin({ ...acmeCount, id: 'range', create: () => acmeCount() });
    await expect(collectEvidence(net, [need], withPlugins([range]))).rejects.toThrow(
      /PLUGIN_DUPLICATE|statistic "range"/,
    );
  });
});

describe('a prune step', () => {
  const run = (reference: { use: string; with: Record<string, unknown> }) =>
    pruneStep.run(net, { reference, where, index: 0 }, context({ calibration: set(8, true) }));

  it('scores channels by gradients and activations, on the graph that it prepares', async () => {
    for (const use of ['taylor', 'activation']) {
      const { graph, notes } = await run({
        use,
        with: { granularity: 'channel', scope: 'isomorphic', normalize: 'max' },
      });
      expect(graph.constants.get('conv.weight')?.shape).toEqual([2, 2, 3, 3]);
      expect(notes[0]?.outcome).toBe('pruned');
    }
  });

  it('scores weights by gradients', async () => {
    const { graph } = await run({ use: 'taylor', with: { sparsity: 0.75 } });
    const { data } = graph.constants.get('conv.weight')!;
    expect(Array.from(data as Float32Array).filter((w) => w === 0)).toHaveLength(54);
  });

  it('refuses what means nothing beside the rest', async () => {
    const refused = (options: Record<string, unknown>, use = 'magnitude') =>
      expect(run({ use, with: options })).rejects;
    await refused({ scope: 'isomorphic' }).toMatchObject({ code: 'OPTION_INVALID' });
    await refused({ granularity: 'channel', normalize: 'l2' }).toMatchObject({ code: 'OPTION_CONFLICT' });
    await refused({ normalize: 'l2' }).toMatchObject({ code: 'OPTION_CONFLICT' });
    await refused({}, 'activation').toMatchObject({ code: 'PRUNE_SCORER' });
  });
});
