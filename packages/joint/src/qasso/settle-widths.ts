import { floats, type Tensor } from '@espalier/core';
import type { Weights } from '@espalier/training';
import { latticeAt, widthsNow } from '../lattice-at.js';
import type { Quantizer } from '../quantizers-of.js';
import { stepWithin } from '../width.js';
import { permitted, type QassoPlan } from './plan.js';
import type { Moment } from './stages.js';

const smallest = 1e-8;
const exponents = { least: 0.2, most: 3 };

/** Gives quantizers their own learning rate: their part of the update shrinks by a factor. Parameters stay positive. */
export function slowQuantizers(
  weights: Map<string, Tensor>,
  before: Weights,
  { quantizers, rateFactor }: Pick<QassoPlan, 'quantizers' | 'rateFactor'>,
): void {
  const slow = (name: string | undefined, least: number, most = Number.POSITIVE_INFINITY) => {
    const [next, old] = [weights.get(name ?? '')?.data, before.get(name ?? '')];
    if (name === undefined || !next || !old) return;
    const values = Float32Array.from(old.data as Float32Array, (value, i) =>
      Math.min(Math.max(value + rateFactor * (Number(next[i]) - value), least), most),
    );
    weights.set(name, floats(values, old.shape));
  };
  for (const { step, limit, exponent } of quantizers) {
    slow(step, smallest);
    slow(limit, smallest);
    slow(exponent, exponents.least, exponents.most);
  }
}

/** Whole widths inside the range: those fixed before, or the rounded widths of now. */
export function fixedWidths(fixed: Float32Array, weights: Weights, { quantizers, widths }: QassoPlan): Float32Array {
  if (fixed.some((bits) => bits > 0)) return fixed;
  return widthsNow(weights, quantizers).map((bits, i) => {
    const { min, max } = quantizers[i]!.weight === undefined ? widths.activations : widths.weights;
    return Math.min(Math.max(Math.round(bits), Math.ceil(min)), Math.floor(max));
  });
}

/** Brings the steps of quantizers into the widths that the moment permits, except those that are `held`. */
export function projectSteps(
  weights: Map<string, Tensor>,
  {
    moment,
    widths,
    held,
    plan,
  }: {
    readonly moment: Moment;
    readonly widths: Float32Array;
    readonly held: ReadonlySet<Quantizer>;
    readonly plan: QassoPlan;
  },
): void {
  if (moment.stage === 'warm') return;
  plan.quantizers.forEach((quantizer, i) => {
    if (held.has(quantizer)) return;
    const range = permitted(quantizer, { moment, fixed: widths[i]!, plan });
    const at = latticeAt(weights, quantizer);
    const steps = Float32Array.from({ length: quantizer.channels }, (_, channel) => stepWithin(at(channel), range));
    weights.set(quantizer.step, floats(steps, weights.get(quantizer.step)!.shape)); // every quantizer has a step
  });
}
