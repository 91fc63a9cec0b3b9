import type { Dataset, Tensor } from '@espalier/core';
import { badRequest, nothingFound } from './errors.js';

/** Options for splitting a data set into feeds. */
export interface BatchOptions {
  /** Samples in a batch; the last one holds what is left. */
  readonly batch: number;
  /** The fields to feed. Default: all but `label`. */
  readonly feeds?: readonly string[];
  /** Leaves out a last batch that is not full, for models whose batch size is fixed. */
  readonly dropLast?: boolean;
}

/**
 * Feeds by input name, one batch after another in the order of the data set; each call starts from the beginning. The next batch is
 * read while the consumer works on the current one.
 * @throws DATA_SPEC for a batch size below 1, DATA_EMPTY for a field that is not there.
 */
export function batchesOf(dataset: Dataset, options: BatchOptions): () => AsyncIterable<ReadonlyMap<string, Tensor>> {
  const { batch, dropLast = false } = options;
  const feeds = options.feeds ?? [...dataset.fields.keys()].filter((name) => name !== 'label');
  if (!Number.isInteger(batch) || batch < 1) {
    throw badRequest('batches', { expected: 'a batch size of 1 or more', found: String(batch) });
  }
  const missing = feeds.find((name) => !dataset.fields.has(name));
  if (missing !== undefined || feeds.length === 0) {
    throw nothingFound(`data set ${dataset.name}`, {
      expected: missing === undefined ? 'a field besides the label' : `a field ${missing}`,
      found: `fields ${[...dataset.fields.keys()].join(', ')}`,
    });
  }
  const end = dropLast ? dataset.size - (dataset.size % batch) : dataset.size;
  const load = async (at: number) => {
    const all = await dataset.read(Array.from({ length: Math.min(batch, end - at) }, (_, i) => at + i));
    return new Map(feeds.map((name) => [name, all.get(name)!]));
  };
  return async function* batches() {
    let next = end > 0 ? load(0) : undefined;
    for (let at = batch; next; at += batch) {
      const current = await next;
      next = at < end ? load(at) : undefined;
      // Awaited in the next round; a consumer that stops early must not turn a failure into an unhandled rejection.
      next?.catch(() => {});
      yield current;
    }
  };
}
