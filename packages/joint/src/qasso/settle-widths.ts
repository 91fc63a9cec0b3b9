import { floats, type Tensor } from '@espalier/core';
import type { Weights } from '@espalier/training';
import { latticeAt, widthsNow } from '../lattice-at.js';
import type { Quantizer } from '../quantizers-of.js';
import { stepWithin } from '../width.js';
import { permitted, type QassoPlan } from './plan.js';
import type { Moment } from './stages.js';

const exponents = { least: 0.2, most: 3 };

/** Keeps learned exponents where powers are well-behaved. */
export function holdExponents(weights: Map<string, Tensor>, { quantizers }: Pick<QassoPlan, 'quantizers'>): void {
  for (const { exponent } of quantizers) {
    const now = weights.get(exponent ?? '');
    if (exponent === undefined || !now) continue;
    const values = Float32Array.from(now.data as Float32Array, (value) =>
      Math.min(Math.max(value, exponents.least), exponents.most),
    );
    weights.set(exponent, floats(values, now.shape));
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
