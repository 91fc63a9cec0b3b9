import { type Port, reshaped, type Session, sizeOf, type Tensor, toNumbers } from '@espalier/core';
import { badLabels } from '../errors.js';

/**
 * Samples stacked along the first axis, by name: what a model's inputs are fed, and a field of labels. Fields that
 * are no input of the model are not fed.
 */
export type Batch = ReadonlyMap<string, Tensor>;

/** Batches one after the other. */
export type Batches = AsyncIterable<Batch> | Iterable<Batch>;

/** The part of a batch that a session takes. */
export function feedsOf(session: Session, batch: Batch): ReadonlyMap<string, Tensor> {
  const names = new Set(session.inputs.map(({ name }) => name));
  return new Map([...batch].filter(([name]) => names.has(name)));
}

/**
 * Number of samples in a batch: the size that the first axes of all feeds share. Where they differ (a state of
 * [layers, 1, size] beside x [1, size], a scalar), a batch is one sample: the whole feed.
 */
export function samplesIn(feeds: ReadonlyMap<string, Tensor>): number {
  const leads = new Set([...feeds.values()].map(({ shape }) => shape[0]));
  const [lead] = leads;
  return leads.size === 1 && lead !== undefined ? lead : 1;
}

/** The first samples of a batch: one, or as many as the model's input fixes. */
export function firstSamples(inputs: readonly Port[], feeds: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  if (samplesIn(feeds) === 1) return feeds;
  const fixed = new Map(inputs.map(({ name, shape }) => [name, shape?.[0]]));
  return new Map(
    [...feeds].map(([name, tensor]) => {
      const lead = fixed.get(name);
      return [name, rowsOf(tensor, { from: 0, count: typeof lead === 'number' ? lead : 1 })];
    }),
  );
}

/** Rows `from` to `from + count` of a tensor's first axis, sharing its storage where elements fill whole units. */
export function rowsOf(tensor: Tensor, { from, count }: { readonly from: number; readonly count: number }): Tensor {
  const { shape, data } = tensor;
  const rows = shape[0];
  if (rows === undefined || (from === 0 && count >= rows)) return tensor;
  const each = data.length / rows;
  if (!Number.isInteger(each) || each < sizeOf(shape.slice(1))) return tensor; // packed elements share bytes
  const part = data.slice(from * each, (from + count) * each);
  return { ...tensor, shape: [Math.min(count, rows - from), ...shape.slice(1)], data: part } as Tensor; // same dtype, whole rows
}

/** One class index for each sample. @throws EVALUATE_LABELS. */
export function labelsOf(
  batch: Batch,
  { field, samples }: { readonly field: string; readonly samples: number },
): readonly number[] {
  const tensor = batch.get(field);
  if (!tensor) throw badLabels(`fields ${[...batch.keys()].join(', ')}`, `a field "${field}" with class indices`);
  if (sizeOf(tensor.shape) !== samples) {
    throw badLabels(`${tensor.dtype}[${tensor.shape.join(',')}]`, `${samples} class indices`);
  }
  return toNumbers(reshaped(tensor, [samples]));
}
