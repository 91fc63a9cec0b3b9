import { sizeOf, toFloats, type UnitTarget } from '@espalier/core';

/** The weights of each unit of a group as one row. */
export interface UnitVectors {
  /** Row-major [units, size]. */
  readonly rows: Float32Array;
  readonly size: number;
}

/** Gathers the weights that count, slice after slice, so that equal places of two rows are equal places of the units. */
export function countedVectors({ units, slices }: UnitTarget): UnitVectors {
  const counted = slices.filter(({ counts }) => counts);
  const lengths = counted.map(({ weight: { shape }, axis, each }) => (each * sizeOf(shape)) / shape[axis]!);
  const size = lengths.reduce((sum, length) => sum + length, 0);
  const rows = new Float32Array(units * size);
  let start = 0;
  counted.forEach(({ weight, axis, indices, each }, s) => {
    const source = toFloats(weight);
    const block = sizeOf(weight.shape.slice(axis + 1));
    const step = block * weight.shape[axis]!;
    for (let unit = 0; unit < units; unit++) {
      let at = unit * size + start;
      for (let i = 0; i < each; i++) {
        for (let from = indices[unit * each + i]! * block; from < source.length; from += step, at += block) {
          if (block === 1) rows[at] = source[from]!;
          else rows.set(source.subarray(from, from + block), at);
        }
      }
    }
    start += lengths[s]!;
  });
  return { rows, size };
}
