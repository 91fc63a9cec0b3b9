/**
 * Ternary codes and scales of a weight, channel by channel: with d = threshold * mean |w|, the code is the sign of w
 * where |w| > d and 0 elsewhere, and the scale is the mean |w| over what is not 0, which makes the squared error
 * least for these codes (Li, Zhang & Liu 2016, arXiv 1605.04711, eq. 5 and 6).
 * A channel that becomes all zeros has scale 1.
 *
 *     ternarize(Float32Array.of(4, -1, 2, 0.5), { shape: [1, 4], axis: 0, threshold: 0.75 })
 *     // mean |w| = 1.875, d = 1.40625: codes 1 0 1 0, scale 3
 *
 * @param {Float32Array} weights row-major elements
 * @param {{ readonly shape: readonly number[], readonly axis: number, readonly threshold: number }} how
 * @returns {{ codes: Int8Array, scales: Float32Array }} one code for each element, one scale for each channel
 */
export function ternarize(weights, { shape, axis, threshold }) {
  const channels = shape[axis];
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const channelOf = (/** @type {number} */ i) => Math.floor(i / inner) % channels;
  const sums = new Float64Array(channels);
  for (let i = 0; i < weights.length; i++) sums[channelOf(i)] += Math.abs(weights[i]);
  const limits = sums.map((sum) => (threshold * sum * channels) / weights.length);

  const codes = new Int8Array(weights.length);
  const kept = new Float64Array(channels);
  const counts = new Uint32Array(channels);
  for (let i = 0; i < weights.length; i++) {
    const channel = channelOf(i);
    if (Math.abs(weights[i]) <= limits[channel]) continue;
    codes[i] = Math.sign(weights[i]);
    kept[channel] += Math.abs(weights[i]);
    counts[channel]++;
  }
  return { codes, scales: Float32Array.from(kept, (sum, channel) => (counts[channel] ? sum / counts[channel] : 1)) };
}
