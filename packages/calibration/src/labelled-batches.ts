import { type Graph, longs, type Tensor, toNumbers } from '@espalier/core';
import type { Differentiated, LossTarget } from './differentiate.js';
import { badLabels } from './errors.js';

/** The field that holds class numbers. */
const field = 'label';

/** Feeds by name. */
export type Batch = ReadonlyMap<string, Tensor>;

/** The same batches, and what the first of them gives a loss to compare with; none of them is lost. */
export async function lookAhead(
  batches: AsyncIterable<Batch>,
  graph: Graph,
): Promise<{ readonly batches: AsyncIterable<Batch>; readonly target: LossTarget }> {
  const iterator = batches[Symbol.asyncIterator]();
  const first = await iterator.next();
  const labelled = !first.done && first.value.has(field) && !graph.inputs.includes(field);
  return { batches: resumed(first, iterator), target: labelled ? 'labels' : 'predictions' };
}

async function* resumed(first: IteratorResult<Batch>, iterator: AsyncIterator<Batch>) {
  try {
    for (let next = first; !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/**
 * The feeds of the model: labels go to the input that the loss reads, or nowhere.
 * @throws CALIBRATION_LABEL where they are no classes of the model, or not one for each sample.
 */
export function feedsOf(
  batch: Batch,
  to: { readonly graph: Graph; readonly differentiated: Differentiated | undefined; readonly samples: number },
): Batch {
  const { graph, differentiated, samples } = to;
  if (graph.inputs.includes(field) || (!batch.has(field) && differentiated?.label === undefined)) return batch;
  const feeds = new Map(batch);
  feeds.delete(field);
  if (differentiated?.label === undefined) return feeds;
  const labels = toNumbers(batch.get(field) ?? longs([]));
  if (labels.length !== samples) throw badLabels(`${samples} labels, one for each sample`, `${labels.length}`);
  const { classes = Number.POSITIVE_INFINITY } = differentiated;
  const strange = labels.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (strange !== undefined) {
    const range = Number.isFinite(classes) ? `from 0 to ${classes - 1}` : 'of 0 or more';
    throw badLabels(`class numbers ${range}`, `${strange}`);
  }
  return feeds.set(differentiated.label, longs(labels));
}
