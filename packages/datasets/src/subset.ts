import { createRandom, type Dataset, toNumbers } from '@espalier/core';
import { nothingFound } from './errors.js';
import { checkIndices, type LabelledDataset } from './tensor-set.js';

/** The samples at these indices, in this order. @throws DATA_INDEX. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const chosen = Array.from(indices);
  checkIndices(dataset.name, chosen, dataset.size);
  const labels = knownLabels(dataset);
  return {
    ...dataset,
    size: chosen.length,
    ...(labels ? { labels: Int32Array.from(chosen, (i) => labels[i]!) } : {}),
    async read(wanted) {
      checkIndices(dataset.name, wanted, chosen.length);
      return dataset.read(wanted.map((i) => chosen[i]!));
    },
  };
}

/** Labels that are known without reading samples. */
export const knownLabels = (dataset: Dataset): Int32Array | undefined =>
  'labels' in dataset ? (dataset as LabelledDataset).labels : undefined; // only labelled sets have the property

/** The label of every sample. @throws DATA_EMPTY when the data set has no field `label`. */
export async function labelsOf(dataset: Dataset): Promise<Int32Array> {
  const known = knownLabels(dataset);
  if (known) return known;
  if (!dataset.fields.has('label')) {
    throw nothingFound(`data set ${dataset.name}`, {
      expected: 'a field `label`',
      found: `fields ${[...dataset.fields.keys()].join(', ')}`,
      fix: 'Use data with labels: accuracy needs them.',
    });
  }
  const out = new Int32Array(dataset.size);
  for (let at = 0; at < dataset.size; at += 256) {
    const indices = Array.from({ length: Math.min(256, dataset.size - at) }, (_, i) => at + i);
    out.set(toNumbers((await dataset.read(indices)).get('label')!), at);
  }
  return out;
}

/** The whole data set in a random order that the seed decides. */
export const shuffled = (dataset: Dataset, seed: number): Dataset =>
  subset(dataset, createRandom(seed).fork('shuffle').permutation(dataset.size));

/**
 * Two data sets without a sample in common: the first holds `share` (0 to 1) of the samples, drawn balanced over
 * the classes where labels are known.
 */
export function splitInTwo(
  dataset: Dataset,
  { share, seed }: { readonly share: number; readonly seed: number },
): readonly [Dataset, Dataset] {
  const order = balancedOrder({ labels: knownLabels(dataset), size: dataset.size, seed });
  const first = Math.round(Math.min(1, Math.max(0, share)) * dataset.size);
  return [subset(dataset, order.subarray(0, first)), subset(dataset, order.subarray(first))];
}

/** `count` samples drawn at random, balanced over the classes where labels are known; see `balancedOrder`. */
export const takeBalanced = (
  dataset: Dataset,
  { count, seed }: { readonly count: number; readonly seed: number },
): Dataset =>
  count >= dataset.size
    ? dataset
    : subset(
        dataset,
        balancedOrder({ labels: knownLabels(dataset), size: dataset.size, seed }).subarray(0, Math.max(0, count)),
      );

/**
 * All indices in a random order in which classes take turns, so that every beginning of it is balanced: with C
 * classes, the first n hold ⌊n/C⌋ or ⌈n/C⌉ of each class that is large enough. Without labels a plain shuffle.
 * The same seed gives the same order, so 64 samples are the first 64 of 256.
 */
export function balancedOrder({
  labels,
  size,
  seed,
}: {
  readonly labels: Int32Array | undefined;
  readonly size: number;
  readonly seed: number;
}): Uint32Array {
  const random = createRandom(seed).fork('draw');
  const order = random.permutation(size);
  if (!labels) return order;
  const queues = new Map<number, number[]>();
  for (const index of order) {
    const queue = queues.get(labels[index]!);
    if (queue) queue.push(index);
    else queues.set(labels[index]!, [index]);
  }
  const turns = [...queues.keys()].sort((a, b) => a - b).map((label) => queues.get(label)!);
  const out = new Uint32Array(size);
  let at = 0;
  for (let round = 0; at < size; round++) {
    for (const queue of turns) {
      if (round < queue.length) out[at++] = queue[round]!;
    }
  }
  return out;
}
