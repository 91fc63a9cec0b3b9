import { clippedNoise, type Stretch } from './rounding-noise.js';

/** Elements that share a scale, condensed where they are many. */
export interface Condensed {
  readonly values: Float32Array;
  readonly stretch: Stretch;
  readonly maxAbs: number;
  /** Counts over bins of |max|·2/bins from -max to max, empty ones left out; absent for few elements. */
  readonly bins?: { readonly places: Float64Array; readonly counts: Float64Array; readonly width: number };
}

/** Up to this many elements are searched as they are. */
const few = 1024;

/** Condenses elements into a histogram of an eighth as many bins, 512 to 16,384, when there are more than 1024. */
export function condense(values: Float32Array, stretch: Stretch, maxAbs: number): Condensed {
  const size = stretch.to - stretch.from;
  if (size <= few || maxAbs === 0) return { values, stretch, maxAbs };
  const count = Math.min(2 ** 14, Math.max(2 ** 9, 2 ** Math.floor(Math.log2(size / 8))));
  const all = new Float64Array(count + 1);
  const width = (2 * maxAbs) / count;
  const factor = 1 / width;
  const middle = count / 2;
  for (let i = stretch.from; i < stretch.to; i++) all[(values[i]! * factor + middle) | 0]!++;
  all[count - 1]! += all[count]!; // the largest element itself
  let filled = 0;
  for (let i = 0; i < count; i++) if (all[i]! > 0) filled++;
  const [places, counts] = [new Float64Array(filled), new Float64Array(filled)];
  for (let i = 0, at = 0; i < count; i++) {
    if (all[i] === 0) continue;
    places[at] = (i + 0.5 - middle) * width;
    counts[at++] = all[i]!;
  }
  return { values, stretch, maxAbs, bins: { places, counts, width } };
}

/** Ends of a grid in steps. */
export interface GridEnds {
  readonly lowest: number;
  readonly highest: number;
}

/** Ratio of neighbouring candidates. */
const ratio = 0.94;
const candidates = 80; // down to 0.7 % of the widest step

/**
 * The step of least squared error for a grid. Candidates go down from the one that covers everything, 6 % apart, until
 * the error has grown to three times the least; between the neighbours of the best one it is narrowed down further.
 * Errors are those of the elements themselves up to 1024 of them, beyond that of their histogram (bins narrower than
 * a quarter of a step as they are, else rounding is taken as step²/12). The error is flat around its minimum: what is
 * found is within about 0.02 dB of it, and within 0.1 dB where few elements make it ragged.
 */
export function bestStep(of: Condensed, ends: GridEnds): number {
  const widest = of.maxAbs / ends.highest;
  const errorAt = (step: number) => noiseAt(of, step, ends);
  let best = { step: widest, error: errorAt(widest) };
  for (let k = 1, step = widest * ratio; k < candidates; k++, step *= ratio) {
    const error = errorAt(step);
    if (error < best.error) best = { step, error };
    else if (error > 3 * best.error) break;
  }
  // The curve of few elements is ragged: going halfway to the neighbours is all that pays. Where very many share a
  // scale there are few scales, so each can be found closely.
  const many = (of.bins?.places.length ?? 0) > 2 ** 12;
  const finest = many ? 0.999 : of.bins ? 0.99 : 0.97;
  for (let by = Math.sqrt(ratio); by < finest; by = Math.sqrt(by)) {
    for (const step of [best.step * by, Math.min(widest, best.step / by)]) {
      const error = errorAt(step);
      if (error < best.error) best = { step, error };
    }
  }
  return best.step;
}

const magic = 6755399441055744; // rounds to the nearest whole number, see rounding-noise.ts

function noiseAt({ values, stretch, bins }: Condensed, step: number, { lowest, highest }: GridEnds): number {
  if (!bins) return clippedNoise(values, stretch, { step, lowest, highest });
  const { places, counts, width } = bins;
  const fine = 4 * width <= step;
  const within = fine ? (width * width) / 12 : (step * step) / 12;
  const bottom = lowest * step;
  const top = highest * step;
  const inverse = 1 / step;
  let sum = 0;
  for (let i = 0; i < places.length; i++) {
    const w = places[i]!;
    let gap = 0;
    if (w < bottom) gap = w - bottom;
    else if (w > top) gap = w - top;
    else if (fine) gap = w - (w * inverse + magic - magic) * step;
    sum += counts[i]! * (gap * gap + within);
  }
  return sum;
}
