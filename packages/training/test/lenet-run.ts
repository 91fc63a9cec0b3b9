import { adam, crossEntropy } from '@espalier/autodiff';
import { createRandom, type Dataset, type Executor, memoryFiles, type Tensor, tensor } from '@espalier/core';
import { idx, preprocess, tensorSet } from '@espalier/datasets';
import { cosine } from '@espalier/schedules';
import { lenet5 } from '@espalier/zoo';
import { train } from '../src/index.js';

/** The images and labels of a set in IDX form, as bytes. */
export interface IdxBytes {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Steps of the run that a page and Node are compared over. */
export const steps = 50;

/**
 * The losses of the first 50 steps of LeNet-5, batch 64, through `train()`: the same request wherever it runs but for the
 * executor. Images are those given, or drawn ones, as grey images of 28x28.
 */
export async function lenetLosses(executor: Executor, given?: IdxBytes): Promise<readonly number[]> {
  const losses: number[] = [];
  await train({
    model: lenet5({ seed: 1 }),
    training: preprocess(await imagesOf(given), { as: 'input', channels: 1, mean: [0.286], std: [0.353] }),
    loss: crossEntropy({}),
    optimizer: adam({}),
    schedule: cosine({ from: 0.004, to: 0, end: steps }),
    steps,
    batch: 64,
    seed: 3,
    augment: { flip: true, crop: 1 },
    executor,
    events: (event) => {
      if (event.event === 'step') losses.push(event.loss);
    },
  });
  return losses;
}

async function imagesOf(given: IdxBytes | undefined): Promise<Dataset> {
  if (!given) return bars(256);
  const files = memoryFiles(
    new Map([
      ['images.gz', given.images],
      ['labels.gz', given.labels],
    ]),
  );
  return idx({ images: 'images.gz', labels: 'labels.gz' })({ files, seed: 2 });
}

/** Noise, and in it one bright bar: at the height that the class says. */
function bars(count: number): Dataset {
  const random = createRandom(2);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  const images = Uint8Array.from({ length: count * 784 }, (_, i) => {
    const top = 4 + 2 * labels[Math.floor(i / 784)]!;
    const row = Math.floor(i / 28) % 28;
    return random.below(128) + (row >= top && row < top + 2 ? 127 : 0);
  });
  const fields = new Map<string, Tensor>([
    ['image', tensor('uint8', [count, 28, 28, 1], images)],
    ['label', tensor('int32', [count], labels)],
  ]);
  return tensorSet({ name: 'bars', fields });
}
