import type { Weights } from '@espalier/training';
import type { Quantizer } from './quantizers-of.js';
import { type Lattice, widthOf } from './width.js';

/** The parameters of a quantizer by channel. */
export function latticeAt(
  weights: Weights,
  { step, limit, exponent, signed }: Quantizer,
): (channel: number) => Required<Lattice> {
  const [d, q, t] = [step, limit, exponent].map((name) => (name === undefined ? undefined : weights.get(name)?.data));
  return (channel) => ({
    step: Number(d![channel]), // weights hold the parameters of every quantizer
    limit: Number(q![channel]),
    exponent: t ? Number(t[channel]) : 1,
    signed,
  });
}

/** The width of each quantizer in bits: the mean over its channels. */
export function widthsNow(weights: Weights, quantizers: readonly Quantizer[]): Float32Array {
  return Float32Array.from(quantizers, (quantizer) => {
    const at = latticeAt(weights, quantizer);
    let sum = 0;
    for (let channel = 0; channel < quantizer.channels; channel++) sum += widthOf(at(channel));
    return sum / quantizer.channels;
  });
}
