import { crossEntropy, distillation, featureMatching, sgd } from '@espalier/autodiff';
import { joinBytes, memoryFiles, type Trained } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplify } from '@espalier/passes';
import { writeSafetensors } from '@espalier/safetensors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLargest, toyData, toyModel, toyRequest } from '../../test/toy.js';
import { readBatch } from '../data/read-batch.js';
import { finetune } from '../finetune.js';
import { masked } from '../masks/masked.js';
import { train } from '../train.js';
import type { TrainRequest } from '../train-request.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

let teacher = toyModel();
beforeAll(async () => {
  teacher = (await train(toyRequest(executor, { epochs: 4 }))).graph;
});

const bytesOf = ({ graph }: Trained) => Buffer.from(joinBytes(writeSafetensors({ tensors: graph.constants })));
const student = () => ({ ...teacher, constants: masked(teacher.constants, keepLargest(teacher, 0.6)) });
const request = (changes: Partial<TrainRequest> = {}) =>
  toyRequest(executor, { teacher, loss: distillation(), augment: { flip: true, crop: 1 }, epochs: 3, ...changes });

/** Mean squared distance of two models' class probabilities on samples they never saw. */
async function distance(a: typeof teacher, b: typeof teacher): Promise<number> {
  const { inputs } = await readBatch({ dataset: toyData(60, 9), inputs: ['image'], target: 'label' }, [
    ...Array(60).keys(),
  ]);
  const probabilities = async (model: typeof teacher) => {
    const session = await executor.open(model);
    const scores = (await session.run(inputs)).get('scores')!.data as Float32Array;
    return Float64Array.from(scores, (_, i) => {
      const row = scores.subarray(i - (i % 3), i - (i % 3) + 3);
      return Math.exp(scores[i]!) / row.reduce((sum, score) => sum + Math.exp(score), 0);
    });
  };
  const [x, y] = [await probabilities(a), await probabilities(b)];
  return x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0) / x.length;
}

describe('a teacher', () => {
  it('draws a pruned student nearer to the model it came from than labels do', async () => {
    const options = { optimizer: sgd({ lr: 0.05 }), batch: 16, epochs: 12 };
    const context = { training: toyData(96), executor, seed: 2 };
    const taught = await finetune({ ...options, loss: distillation({ temperature: 2, weight: 1 }) }).train(student(), {
      ...context,
      teacher,
    });
    const plain = await finetune({ ...options, loss: crossEntropy() }).train(student(), context);
    const [near, far] = [await distance(taught.graph, teacher), await distance(plain.graph, teacher)];
    expect(near).toBeLessThan(far / 10);
    expect(near).toBeLessThan((await distance(student(), teacher)) / 10);
  });

  it('sees the very batch that the student sees: a student that agrees with it has nothing to learn', async () => {
    const losses: number[] = [];
    const events = (event: { event: string; loss?: number }) => event.event === 'step' && losses.push(event.loss!);
    const still = {
      steps: 2,
      epochs: undefined as never,
      schedule: () => 0,
      evaluation: undefined as never,
      events,
    };
    // Batch norms of the student are in training form; without them both are the same function.
    const bare = simplify(teacher);
    await train(request({ ...still, model: bare, teacher: bare, loss: distillation({ weight: 1 }) }));
    for (const loss of losses) expect(Math.abs(loss)).toBeLessThan(1e-5);
    await train(
      request({
        ...still,
        model: bare,
        loss: featureMatching({ loss: distillation({ weight: 1 }), values: ['norm'] }),
      }),
    );
    expect(losses).toHaveLength(4);
    for (const loss of losses.slice(2)) expect(Math.abs(loss)).toBeLessThan(1e-5);
  });

  it('is part of what a checkpoint belongs to, and a resumed run ends with the same bytes', async () => {
    const whole = await train(request());
    const [files, stop] = [memoryFiles(), new AbortController()];
    const checkpoint = { files, folder: 'run', every: 2, resume: true };
    await train(
      request({
        checkpoint,
        signal: stop.signal,
        events: (event) => event.event === 'step' && event.step === 7 && stop.abort(),
      }),
    );
    await expect(train(request({ checkpoint, teacher: toyModel() }))).rejects.toMatchObject({
      code: 'CHECKPOINT_OTHER_RUN',
    });
    expect(bytesOf(await train(request({ checkpoint }))).equals(bytesOf(whole))).toBe(true);
  });

  const renamed = () => ({ ...toyModel(), inputs: ['picture'] });
  const fixed = () => ({
    ...toyModel(),
    values: new Map([...toyModel().values, ['image', { dtype: 'float32', shape: [4, 1, 8, 8] } as const]]),
  });
  const matching = (value: string) => featureMatching({ loss: crossEntropy(), values: [value] });
  it.each([
    [
      'is missing where the loss learns from one',
      { teacher: undefined as never },
      /a teacher, for the loss learns from one/,
    ],
    [
      'is useless where the loss does not',
      { loss: crossEntropy() },
      /a loss that learns from it, such as distillation/,
    ],
    ['with other inputs', { teacher: renamed() }, /inputs among image, as the model's, found "picture"/],
    ['of another batch size', { teacher: fixed() }, /4, the only batch size the teacher takes/],
    ['without the value', { loss: matching('norm=nrom') }, /a value "nrom".*Did you mean "norm"/],
    [
      'whose value has another shape',
      { loss: matching('norm=scores') },
      /float32\[16,8,8,8\], as the model's own, found float32\[16,3\]/,
    ],
  ] as const)('%s is refused', async (_, change, message) => {
    await expect(train(request(change as Partial<TrainRequest>))).rejects.toThrow(message);
  });
});
