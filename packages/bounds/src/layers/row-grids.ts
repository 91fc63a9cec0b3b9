import type { RoundingGrid } from '@espalier/core';
import { gridEnds } from '../distributions/expected-quantization-error.js';
import { bestStep, condense } from '../weights-advice/best-step.js';
import type { LayerRangeOptions } from './layer-range.js';

/** The options that determine the grids of a weight. */
export interface GridChoice extends Required<Pick<LayerRangeOptions, 'form' | 'granularity'>> {
  readonly bits: number;
}

/**
 * One grid per row of a weight [rows, size], of least squared weight error, as the paper has it (Kuzmin et al. 2023,
 * arXiv 2307.02973, section 2). Under `tensor` all rows share theirs. A row of zeros gets a step of 1.
 */
export function rowGrids(weight: Float64Array, rows: number, choice: GridChoice): readonly RoundingGrid[] {
  const values = Float32Array.from(weight); // the search is in float32; any step is a valid step
  const size = weight.length / rows;
  if (choice.granularity === 'tensor') {
    const shared = gridOf(values, { from: 0, to: values.length }, choice);
    return Array.from({ length: rows }, () => shared);
  }
  return Array.from({ length: rows }, (_, row) => gridOf(values, { from: row * size, to: (row + 1) * size }, choice));
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

function gridOf(values: Float32Array, stretch: Stretch, { form, bits }: GridChoice): RoundingGrid {
  let [min, max] = [0, 0];
  for (let i = stretch.from; i < stretch.to; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  const maxAbs = Math.max(-min, max);
  if (maxAbs === 0) return { step: 1, ...gridEnds(bits, form === 'asymmetric' ? 'full' : form) };
  if (form === 'asymmetric') return asymmetricGrid(values, stretch, { min, max, bits });
  const ends = gridEnds(bits, form);
  return { step: bestStep(condense(values, stretch, maxAbs), ends), ...ends };
}

const shrinks = 48; // ranges tried: 1, 0.98, ..., 0.06 of the whole

/** All 2ᵇ integers from the rounded lower end on: the range from min to max, narrowed evenly, of least squared error. */
function asymmetricGrid(
  values: Float32Array,
  { from, to }: Stretch,
  { min, max, bits }: { readonly min: number; readonly max: number; readonly bits: number },
): RoundingGrid {
  const steps = 2 ** bits - 1;
  let best: RoundingGrid = { step: 1, lowest: 0, highest: steps };
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < shrinks; k++) {
    const step = ((max - min) * (1 - 0.02 * k)) / steps;
    const lowest = Math.round((min * (1 - 0.02 * k)) / step);
    const highest = lowest + steps;
    let error = 0;
    for (let i = from; i < to && error < least; i++) {
      const code = Math.min(highest, Math.max(lowest, Math.round(values[i]! / step)));
      error += (values[i]! - code * step) ** 2;
    }
    if (error < least) [least, best] = [error, { step, lowest, highest }];
  }
  return best;
}
