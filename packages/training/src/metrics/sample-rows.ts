import type { ClassRows } from '@espalier/analysis';
import { isInteger, sizeOf, type Tensor, toNumbers } from '@espalier/core';
import { badTargets } from '../errors.js';

/** Rows of class scores that belong to samples. */
export interface SampleRows extends ClassRows {
  /** Rows in a sample: 1 for classification, the number of pixels for segmentation. */
  readonly perSample: number;
}

/**
 * Outputs `[N, C]` or `[N, C, ...rest]` with whole-number targets `[N]` or `[N, ...rest]` as rows of class scores.
 * @throws TRAINING_TARGETS when they do not go together or a label is no class.
 */
export function sampleRows(output: Tensor, target: Tensor): SampleRows {
  const [samples = 0, classes = 0, ...rest] = output.shape;
  const perSample = sizeOf(rest);
  if (output.shape.length < 2 || !isInteger(target.dtype) || sizeOf(target.shape) !== samples * perSample) {
    throw badTargets(
      `one class index for each of ${samples * perSample} rows of an output ${output.dtype}[${output.shape.join(',')}]`,
      `${target.dtype}[${target.shape.join(',')}]`,
    );
  }
  const labels = target.dtype === 'int32' ? target.data : toNumbers(target);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && label < classes)) throw badTargets(`class indices from 0 to ${classes - 1}`, String(label));
  }
  return {
    values: output.dtype === 'float32' ? output.data : toNumbers(output),
    labels,
    classes,
    perSample,
    stride: perSample,
    start: (row) => Math.floor(row / perSample) * classes * perSample + (row % perSample),
  };
}
