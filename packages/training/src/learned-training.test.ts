import { crossEntropy, sgd, withParameters } from '@espalier/autodiff';
import { calibrate } from '@espalier/calibration';
import { type Graph, joinBytes, memoryFiles, noEvidence, toNumbers } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { integersQuantizer, learnedQuantizer } from '@espalier/quantizers';
import { writeSafetensors } from '@espalier/safetensors';
import { afterAll, describe, expect, it } from 'vitest';
import { toyData, toyModel } from '../test/toy.js';
import { finetune } from './finetune.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const training = toyData(96);
const context = { training, evaluation: toyData(30, 6), executor, seed: 1 };
const parts = { optimizer: sgd({ weightDecay: 0.001 }), loss: crossEntropy({}), batch: 16 };

async function learned(
  options: Parameters<typeof learnedQuantizer>[0] = {},
  model: Graph = toyModel(),
): Promise<Graph> {
  const plan = learnedQuantizer(options)(inferShapes(model));
  const { fields } = await training.read([0, 1, 2, 3, 4, 5, 6, 7]).then((read) => ({ fields: read }));
  const evidence = await calibrate(plan.graph, plan.needs, {
    executor,
    async *batches() {
      yield new Map(plan.graph.inputs.map((name) => [name, fields.get(name)!]));
    },
  });
  return plan.apply(evidence).graph;
}

const scales = ({ nodes, constants }: Graph): readonly number[] =>
  nodes.flatMap(({ op, inputs }) =>
    op === 'espalier::FakeQuantize' ? Array.from(toNumbers(constants.get(inputs[1]!)!)) : [],
  );
const bytesOf = ({ constants }: Graph) => Buffer.from(joinBytes(writeSafetensors({ tensors: constants })));

describe('training with learned quantizers', () => {
  it.each(['lsq', 'lsq+', 'pact'] as const)('%s moves weights and scales, which stay positive', async (method) => {
    const model = await learned({ method, weights: { bits: 4 }, activations: { bits: 4 } });
    const { graph, history } = await finetune({ ...parts, epochs: 4 }).train(model, context);
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss);
    const [before, after] = [scales(model), scales(graph)];
    expect(after.filter((scale, i) => scale !== before[i]).length).toBeGreaterThan(before.length / 2);
    expect(Math.min(...after)).toBeGreaterThan(0);
  });

  it('leaves fixed scales as they are, and those that are frozen from then on', async () => {
    const fixed = await learned({ method: 'ste', weights: { bits: 4 } });
    const trained = await finetune({ ...parts, epochs: 2 }).train(fixed, context);
    expect(scales(trained.graph)).toEqual(scales(fixed));
    expect(bytesOf(trained.graph).equals(bytesOf(fixed))).toBe(false);
    const free = await learned({ weights: { bits: 4 } });
    const frozen = await finetune({ ...parts, epochs: 2, freezeScales: 0 }).train(free, context);
    expect(scales(frozen.graph)).toEqual(scales(free));
  });

  it('goes on from a checkpoint to the same bytes', async () => {
    const model = await learned({ weights: { bits: 2 } });
    const options = { ...parts, epochs: 3, freezeScales: 0.5, dampening: 0.01, scaleRate: 0.5 };
    const whole = await finetune(options).train(model, context);
    const files = memoryFiles();
    const stop = new AbortController();
    const checkpoint = { files, folder: 'run' };
    const events = ({ event }: { readonly event: string }) => event === 'epoch' && stop.abort();
    const first = await finetune(options).train(model, { ...context, checkpoint, events, signal: stop.signal });
    expect(first.reason).toBe('cancelled');
    const second = await finetune(options).train(model, { ...context, checkpoint: { ...checkpoint, resume: true } });
    expect(bytesOf(second.graph).equals(bytesOf(whole.graph))).toBe(true);
  });

  it('keeps running statistics where batch norms are to have them', async () => {
    const model = await learned({ weights: { bits: 4 } });
    const { graph } = await finetune({ ...parts, epochs: 1, batchNorm: 'running' }).train(model, context);
    expect(toNumbers(graph.constants.get('bn.mean')!)).toEqual(toNumbers(toyModel().constants.get('bn.mean')!));
    expect(bytesOf(graph).equals(bytesOf(model))).toBe(false);
  });

  it('lowers bits step by step: a model that learned on wide grids learns on narrower ones', async () => {
    const wide = await finetune({ ...parts, epochs: 1 }).train(await learned(), context);
    const narrow = await learned({ weights: { bits: 2 } }, wide.graph);
    const counts = (graph: Graph) => graph.nodes.filter(({ op }) => op === 'espalier::FakeQuantize').length;
    expect(counts(narrow)).toBe(counts(wide.graph));
    expect(narrow.constants.get('conv.weight')).toEqual(wide.graph.constants.get('conv.weight'));
    const { history } = await finetune({ ...parts, epochs: 4 }).train(narrow, context);
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss);
  });

  it('ends in a file as accurate as what was trained', async () => {
    const { graph, metrics } = await finetune({ ...parts, epochs: 4 }).train(
      await learned({ weights: { bits: 4 }, activations: { bits: 4 } }),
      context,
    );
    const { graph: file } = integersQuantizer({})(graph).apply(noEvidence);
    const { evaluate } = await import('./evaluate.js');
    const measured = await evaluate({ model: file, dataset: context.evaluation, executor, batch: 16 });
    expect(Math.abs(measured['top1']! - metrics!['top1']!)).toBeLessThanOrEqual(1 / 30);
    expect(() => withParameters(graph, new Map())).not.toThrow();
  });
});
