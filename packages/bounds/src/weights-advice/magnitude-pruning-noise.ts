/** Up to this many elements are sorted, which is exact. */
const sortable = 2 ** 16;

/** Bits of a float32 below the sign that are left out of a bin: 8 bits of exponent and 8 of mantissa remain. */
const shift = 15;

/**
 * The sum of squares of the smallest magnitudes, for several shares of elements to keep (ascending or not): the noise
 * of magnitude pruning. round(keep · n) elements stay. Exact up to 65,536 elements. Beyond, magnitudes are binned by
 * their leading 16 bits, with exact counts and sums of squares; only within the bin of the threshold (neighbours
 * within 0.4 % of each other) are squares taken as equal, which is below 0.01 dB.
 * `[1, -2, 3, 4]` keeping `[0.5]` gives `[5]`.
 */
export function magnitudePruningNoise(values: Float32Array, keeps: readonly number[]): readonly number[] {
  const removed = keeps.map((keep) => values.length - Math.round(Math.min(1, Math.max(0, keep)) * values.length));
  const noise = values.length <= sortable ? sortedNoise(values) : binnedNoise(values);
  return removed.map(noise);
}

function sortedNoise(values: Float32Array): (removed: number) => number {
  const squares = Float64Array.from(values, (w) => w * w).sort();
  for (let i = 1; i < squares.length; i++) squares[i]! += squares[i - 1]!;
  return (removed) => (removed > 0 ? squares[removed - 1]! : 0);
}

function binnedNoise(values: Float32Array): (removed: number) => number {
  // A Float32Array is aligned to 4 bytes, so its bits can be read where they are.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Float64Array(2 ** (31 - shift));
  const squares = new Float64Array(counts.length);
  for (let i = 0; i < bits.length; i++) {
    const bin = (bits[i]! & 0x7fffffff) >>> shift;
    const w = values[i]!;
    counts[bin]!++;
    squares[bin]! += w * w;
  }
  return (removed) => {
    let [left, noise] = [removed, 0];
    for (let bin = 0; bin < counts.length && left > 0; bin++) {
      const count = counts[bin]!;
      if (count === 0) continue;
      noise += squares[bin]! * Math.min(1, left / count);
      left -= count;
    }
    return noise;
  };
}
