import { calibrate } from '@espalier/calibration';
import { createRandom, floats, type Graph, longs, noEvidence, type Pruner, type Tensor, tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateGraph } from '../../../../test/float64/evaluate-graph.js';
import { convNet } from '../../../../test/small-nets.js';
import { magnitude } from '../magnitude.js';
import { pruneWeights } from '../prune-weights.js';
import { channelPruning } from '../prunings/channel.js';
import { randomPruner } from '../random-pruner.js';
import { coupled } from '../structured/coupled.js';
import { prepareStructured } from '../structured/prepare-structured.js';
import { scoreUnits, unitNeeds } from '../structured/score-units.js';
import { activation } from './activation.js';
import { cosine } from './cosine.js';
import { fisher } from './fisher.js';
import { fpgm } from './fpgm.js';
import { lamp } from './lamp.js';
import { snip } from './snip.js';
import { taylor } from './taylor.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const channels = 4;
const samples = 6;
const pixels = 2 * 8 * 8;
const random = createRandom(9);
const images = Float32Array.from({ length: samples * pixels }, () => random.normal());
const labels = [0, 1, 2, 2, 1, 0];
const net = convNet();

const batches = (sizes: readonly number[], labelled = true) =>
  async function* () {
    let at = 0;
    for (const size of sizes) {
      const batch = new Map<string, Tensor>([
        ['x', floats(images.subarray(at * pixels, (at + size) * pixels), [size, 2, 8, 8])],
      ]);
      if (labelled) batch.set('label', longs(labels.slice(at, at + size)));
      yield batch;
      at += size;
    }
  };

/** The scores of the channels of the one group of the net. */
async function scoresOf(
  graph: Graph,
  pruner: Pruner,
  sizes: readonly number[] = [samples],
): Promise<readonly number[]> {
  const ready = prepareStructured(graph);
  const net = coupled(ready);
  const groups = net.groups.filter(({ prunable }) => prunable);
  const evidence = await calibrate(ready, unitNeeds(net, groups, { pruner }), { executor, batches: batches(sizes) });
  return [...scoreUnits(net, groups, { pruner }, evidence).get(groups[0]!)!];
}

/** The same function with the channels in another order: channel i is channel `order[i]` of the net. */
function permuted(order: readonly number[]): Graph {
  const constants = new Map(net.constants);
  const take = (name: string, axis: 0 | 1, block: number) => {
    const { shape, data } = net.constants.get(name) as Tensor<'float32'>; // weights are float32
    const row = axis === 0 ? data.length : shape[1]!;
    const moved = data.map((_, i) => {
      const within = i % row;
      return data[i - within + order[Math.floor(within / block)]! * block + (within % block)]!;
    });
    constants.set(name, floats(moved, shape));
  };
  take('conv.weight', 0, 18);
  take('fc.weight', 1, 16);
  for (const name of ['conv.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var']) take(name, 0, 1);
  return { ...net, constants };
}

const pruners: Readonly<Record<string, Pruner>> = {
  'magnitude l1': magnitude({ norm: 'l1' }),
  'magnitude lp': magnitude({ norm: 'lp', p: 3 }),
  lamp: lamp(),
  fpgm: fpgm(),
  cosine: cosine(),
  'activation mean': activation(),
  'activation l2': activation({ measure: 'l2' }),
  'activation zeros': activation({ measure: 'zeros' }),
  snip: snip(),
  fisher: fisher(),
  'taylor gate': taylor({ form: 'gate' }),
  'taylor unit of all data': taylor({ average: 'gradients' }),
  'taylor weight of all data': taylor({ form: 'weight', average: 'gradients' }),
  'taylor unit': taylor(),
  'taylor weight': taylor({ form: 'weight' }),
};
const near = (found: readonly number[], wanted: readonly number[]) => {
  const largest = Math.max(...wanted);
  expect(found.map((each) => each / largest)).toEqual(wanted.map((each) => expect.closeTo(each / largest, 4)));
};

describe('scores of a network', () => {
  const order = [2, 0, 3, 1];
  it.each(Object.entries(pruners))('by %s follow their units when these change places', async (_, pruner) => {
    const before = await scoresOf(net, pruner);
    expect(before).toHaveLength(channels);
    expect(new Set(before).size).toBeGreaterThan(1);
    near(
      await scoresOf(permuted(order), pruner),
      order.map((i) => before[i]!),
    );
  });

  it.each(Object.entries(pruners).filter(([name]) => name !== 'taylor unit' && name !== 'taylor weight'))(
    'by %s do not depend on how the data is cut into batches',
    async (_, pruner) => {
      near(await scoresOf(net, pruner, [1, 3, 2]), await scoresOf(net, pruner));
    },
  );

  it('by gates are the squared derivative of the loss to a factor on what layers read of the unit', async () => {
    const lossWith = (channel: number, factor: number) => {
      const { shape, data } = net.constants.get('fc.weight') as Tensor<'float32'>;
      const scaled = Float64Array.from(data, (w, i) => (Math.floor((i % 64) / 16) === channel ? w * factor : w));
      const constants = new Map(net.constants).set('fc.weight', tensor('float64', shape, scaled));
      const values = evaluateGraph({ ...net, constants }, new Map([['x', floats(images, [samples, 2, 8, 8])]]));
      const { data: probabilities } = values.get(net.outputs[0]!)!;
      return labels.reduce((sum, label, n) => sum - Math.log(Number(probabilities[3 * n + label])), 0) / samples;
    };
    const scores = await scoresOf(net, taylor({ form: 'gate', average: 'gradients' }), [2, 4]);
    for (const [channel, score] of scores.entries()) {
      const derivative = (lossWith(channel, 1 + 1e-5) - lossWith(channel, 1 - 1e-5)) / 2e-5;
      expect(score).toBeCloseTo(derivative ** 2, 5);
    }
  });

  it('are refused where they mean nothing', () => {
    const code = (act: () => unknown) => {
      try {
        act();
      } catch (error) {
        return (error as { code?: string }).code;
      }
      return undefined;
    };
    const structured = (options: object) => () =>
      channelPruning({ pruner: fpgm(), sparsity: 0.5, ...options })(net).apply(noEvidence);
    expect(code(() => pruneWeights({ pruner: fpgm(), sparsity: 0.5 })(net).apply(noEvidence))).toBe('PRUNE_SCORER');
    expect(code(() => pruneWeights({ pruner: activation(), granularity: { n: 2, m: 4 } })(net).apply(noEvidence))).toBe(
      'PRUNE_SCORER',
    );
    expect(code(structured({ reduce: 'mean' }))).toBe('PRUNE_OPTION');
    expect(code(structured({ pruner: randomPruner(), weights: 'producers' }))).toBe('PRUNE_OPTION');
    expect(code(structured({ weights: 'producers' }))).toBeUndefined();
    expect(code(() => magnitude({ norm: 'l1', p: 3 }))).toBe('OPTION_CONFLICT');
  });

  it('by gradients remove units, and say when the classes were the own ones of the model', async () => {
    const options = { pruner: taylor(), sparsity: 0.5 };
    const ready = prepareStructured(net);
    const collected = (labelled: boolean) =>
      calibrate(ready, channelPruning(options)(net).needs, { executor, batches: batches([samples], labelled) });
    const told = channelPruning(options)(net).apply(await collected(true));
    expect(told.graph.constants.get('conv.weight')?.shape).toEqual([2, 2, 3, 3]);
    expect(told.notes.some(({ reason }) => reason.includes('predicted'))).toBe(false);
    const own = channelPruning(options)(ready).apply(await collected(false));
    expect(own.notes).toContainEqual(
      expect.objectContaining({ outcome: 'warning', reason: expect.stringContaining('no labels') }),
    );
  });
});
