import {
  type Dataset,
  type DType,
  floats,
  fromNumbers,
  isFloat,
  isInteger,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { augmentImages, augments } from '../augment/augment-images.js';
import type { AugmentOptions } from '../augment/augment-options.js';
import { badRequest } from '../errors.js';

/** The needs of the reader of a batch. */
export interface BatchNeeds {
  readonly dataset: Dataset;
  /** Inputs of the model; fields of the data set of the same names. */
  readonly inputs: readonly string[];
  /** The field with the targets. */
  readonly target: string;
}

/** Inputs by name, and the targets. */
export interface Batch {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly target: Tensor;
  readonly samples: number;
  /** Further inputs of the loss, such as a teacher's outputs. */
  readonly lossInputs?: ReadonlyMap<string, Tensor>;
}

/** Refuses a data set that lacks a field. @throws TRAINING_REQUEST with the fields it has. */
export function checkFields({ dataset, inputs, target }: BatchNeeds): void {
  const missing = [...inputs, target].find((name) => !dataset.fields.has(name));
  if (missing === undefined) return;
  throw badRequest(`data set ${dataset.name}`, {
    expected: `a field "${missing}"${missing === target ? ' with the targets' : ', an input of the model'}`,
    found: `fields ${[...dataset.fields.keys()].join(', ')}`,
    fix: 'Name fields after the inputs of the model; the targets are in `label` by default.',
  });
}

/** Reads samples as a batch; with `vary`, their images are augmented. */
export async function readBatch(
  { dataset, inputs, target }: BatchNeeds,
  samples: readonly number[],
  vary?: { readonly augment: AugmentOptions; readonly seed: number; readonly epoch: number },
): Promise<Batch> {
  const fields = await dataset.read(samples);
  const fed = inputs.map((name): [string, Tensor] => {
    const field = fields.get(name)!; // checkFields made sure
    const image = vary && augments(vary.augment) && field.shape.length === 4;
    return [name, image ? augmentImages(field, vary.augment, { ...vary, samples }) : field];
  });
  return { inputs: new Map(fed), target: fields.get(target)!, samples: samples.length };
}

/** Targets in the dtype that a loss wants. @throws TRAINING_REQUEST where that would lose something. */
export function targetAs(target: Tensor, dtype: DType): Tensor {
  if (target.dtype === dtype) return target;
  if (dtype === 'float32') return floats(Float32Array.from(toNumbers(target)), target.shape);
  if (isFloat(target.dtype) || !isInteger(dtype)) {
    throw badRequest('targets', {
      expected: `${dtype}, as the loss wants them`,
      found: target.dtype,
      fix: 'Use a loss for numbers, such as mean squared error, or labels that are whole numbers.',
    });
  }
  return fromNumbers(dtype, target.shape, toNumbers(target));
}
