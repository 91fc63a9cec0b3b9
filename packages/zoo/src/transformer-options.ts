import type { Options, Resolved } from '@espalier/core';
import { unevenSize } from './errors.js';

/** The sizes by which transformers differ. */
export interface TransformerDefaults {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

/** Options of every transformer. */
export const transformerOptions = ({ depth, width, heads }: TransformerDefaults) =>
  ({
    depth: { type: 'integer', default: depth, min: 1, max: 1000, about: 'how many layers it has' },
    width: {
      type: 'integer',
      default: width,
      min: 1,
      max: 65_536,
      about: 'features of a token, a multiple of `heads`',
    },
    heads: { type: 'integer', default: heads, min: 1, max: 1024, about: 'attention heads of a layer' },
    expansion: {
      type: 'number',
      default: 4,
      min: 0.01,
      max: 64,
      about: 'hidden features of a layer per feature of a token',
    },
    seed: { type: 'integer', default: 0, about: 'seed of the first weights' },
  }) as const satisfies Options;

type Sizes = Resolved<ReturnType<typeof transformerOptions>>;

/** Features between the two linear layers of a block. */
export const hiddenFeatures = ({ width, expansion }: Pick<Sizes, 'width' | 'expansion'>): number =>
  Math.max(1, Math.round(width * expansion));

/** @throws MODEL_SIZE unless every head gets the same number of features. */
export function checkHeads(where: string, { width, heads }: Pick<Sizes, 'width' | 'heads'>): void {
  if (width % heads !== 0) throw unevenSize(`${where}.width`, { size: `${width}`, by: `heads (${heads})` });
}
