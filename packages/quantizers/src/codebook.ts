import type { WeightClip } from './weight-ranges.js';

/** A codebook that QLoRA and bitsandbytes use. */
export type CodebookName = 'nf4' | 'fp4';

/** Sixteen real numbers in [-1, 1], at their 4-bit codes, as float32. A weight is such a number times its block's scale. */
export type Codebook = Float32Array;

/**
 * `nf4`: the quantiles of a normal distribution, with an exact zero at code 7 (Dettmers et al. 2023, arXiv 2305.14314,
 * appendix E). `fp4`: a sign bit, two bits of exponent and one of mantissa, divided by 12 (bitsandbytes); code 8 is a
 * second zero that is never written.
 */
export const codebooks: Readonly<Record<CodebookName, Codebook>> = {
  nf4: Float32Array.of(
    ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453],
    ...[-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0],
    ...[0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224],
    ...[0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1],
  ),
  fp4: Float32Array.of(
    ...[0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4],
    ...[-0, -1 / 192, -2 / 3, -1, -1 / 3, -1 / 2, -1 / 6, -1 / 4],
  ),
};

/** Weights as codes of a codebook. */
export interface CodebookWeights {
  /** One 4-bit code a weight. */
  readonly codes: Uint8Array;
  /** One a block. */
  readonly scale: Float32Array;
}

/** The choice of scales: the largest magnitude of a block, or the share of it that has the least squared error. */
export interface CodebookChoice {
  readonly codebook: Codebook;
  /** Consecutive weights that share a scale. The last block is as long as what is left. */
  readonly block: number;
  readonly clip: WeightClip;
}

/** Shares of the largest magnitude that `mse` tries, the best of equals first. */
const shares = [1, 0.975, 0.95, 0.925, 0.9, 0.85, 0.8, 0.75, 0.7];

/**
 * scale_b = max |w| over block b, or a share of it; each weight gets the code whose number is nearest to w / scale_b,
 * the lower number of two equally near ones. In a block of zeros every weight gets the code of zero. Weights must be
 * finite. `toCodebook(Float32Array.of(0.5, -2), { codebook: codebooks.nf4, block: 64, clip: 'minmax' })` has scale 2
 * and codes 10 (0.246 for 0.25) and 0 (-1).
 */
export function toCodebook(weights: Float32Array, { codebook, block, clip }: CodebookChoice): CodebookWeights {
  const nearest = nearestIn(codebook);
  const codes = new Uint8Array(weights.length);
  const scale = new Float32Array(Math.ceil(weights.length / block));
  for (let b = 0; b < scale.length; b++) {
    const part = weights.subarray(b * block, (b + 1) * block);
    let largest = 0;
    for (const weight of part) largest = Math.max(largest, Math.abs(weight));
    let least = Number.POSITIVE_INFINITY;
    for (const share of clip === 'mse' ? shares : [1]) {
      const tried = Math.fround(largest * share);
      const found = Uint8Array.from(part, (weight) => nearest(tried === 0 ? 0 : weight / tried));
      const error = found.reduce((sum, code, i) => sum + (part[i]! - codebook[code]! * tried) ** 2, 0);
      if (error >= least) continue;
      least = error;
      scale[b] = tried;
      codes.set(found, b * block);
    }
  }
  return { codes, scale };
}

/** Finds the code whose number is nearest. */
function nearestIn(codebook: Codebook): (value: number) => number {
  const { numbers, codesOf } = ascending(codebook);
  const middles = Float64Array.from(numbers.slice(1), (number, i) => (number + numbers[i]!) / 2);
  return (value) => codesOf[countBelow(middles, value)]!;
}

/** The distinct numbers in ascending order, as float64, and the code of each. */
function ascending(codebook: Codebook) {
  const order = [...codebook.keys()]
    .sort((a, b) => codebook[a]! - codebook[b]! || a - b)
    .filter((code, i, all) => i === 0 || codebook[code] !== codebook[all[i - 1]!]);
  return { numbers: order.map((code) => codebook[code]!), codesOf: order };
}

/** The number of bounds that lie below a value, found by halving. */
function countBelow(bounds: Float64Array, value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
