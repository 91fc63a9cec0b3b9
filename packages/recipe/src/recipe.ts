import type { Reference } from '@espalier/core';

/** Options for converting images to numbers; every field is optional. */
export interface PreprocessFields {
  /** Factor for raw pixels. Default: 1/255 for 8-bit images. */
  readonly scale?: number;
  /** Per channel, subtracted after scaling. */
  readonly mean?: readonly number[];
  /** Per channel, divided by after subtracting. */
  readonly std?: readonly number[];
  /** Deduced from the model's input when left out. */
  readonly layout?: 'nchw' | 'nhwc';
  /** Height and width; deduced from the model's input when left out. */
  readonly resize?: readonly number[];
}

/** A data set and what is done to its samples before the model sees them. */
export interface DataSource {
  readonly use: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly preprocess?: PreprocessFields;
}

/** One step: exactly one of the step kinds, with the plugin it uses. */
export type RecipeStep =
  | { readonly pass: Reference }
  | { readonly prune: Reference }
  | { readonly train: Reference }
  | { readonly quantize: Reference };

/** The purpose of a data set: statistics, training steps, or measuring. */
export type DataRole = 'calibration' | 'training' | 'evaluation';

/** A compression written as data. The same recipe, seed and model give the same bytes. */
export interface Recipe {
  /** Version of this form. */
  readonly espalier: 1;
  /** Namespace to package, for third-party plugins. */
  readonly plugins?: Readonly<Record<string, string>>;
  /** The model to train if no other is given: a file, or an architecture by its plugin. */
  readonly model?: Reference;
  readonly data?: Readonly<Partial<Record<DataRole, string | DataSource>>>;
  /** Run in this order; a step may repeat. */
  readonly steps: readonly RecipeStep[];
  readonly export?: Reference;
  /** Seed of everything random. Default: 0. */
  readonly seed?: number;
}

/** A recipe in code, checked by the compiler: `export const recipe = defineRecipe({ espalier: 1, steps: [...] })`. */
export const defineRecipe = <const R extends Recipe>(recipe: R): R => recipe;
