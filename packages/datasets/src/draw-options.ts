import type { Dataset, DatasetContext, Options } from '@espalier/core';
import { takeBalanced } from './subset.js';

/** The options that every loader of stored samples has. */
export const drawOptions = {
  take: {
    type: 'integer',
    default: 0,
    min: 0,
    about: 'how many samples to draw, balanced over the classes; 0 for all of them in their own order',
  },
  seed: { type: 'integer', default: 0, min: 0, about: 'added to the seed of the run, for another draw' },
} as const satisfies Options;

/** The guard against files that unpack to more than a machine holds. */
export const limitOption = {
  limit: {
    type: 'integer',
    default: 4096,
    min: 1,
    about: 'largest size of the unpacked data in MiB, against files that are not what they seem',
  },
} as const satisfies Options;

/** The limit in bytes. */
export const limitBytes = ({ limit }: { readonly limit: number }): number => limit * 2 ** 20;

/** Applies `drawOptions`. */
export const draw = (
  dataset: Dataset,
  { take, seed }: { readonly take: number; readonly seed: number },
  context: DatasetContext,
): Dataset => (take === 0 ? dataset : takeBalanced(dataset, { count: take, seed: context.seed + seed }));
