import { floats, roundHalfEven, type Tensor } from '@espalier/core';
import type { Weights } from '@espalier/training';
import { latticeAt } from '../lattice-at.js';
import type { Quantizer } from '../quantizers-of.js';
import { stepFor } from '../width.js';
import { type Angle, forgetRate, redundantStep } from './forget.js';
import { type QassoMemory, unitStates, unitsIn } from './memory.js';
import type { QassoPlan } from './plan.js';
import type { Moment } from './stages.js';
import { eachRun, type Part } from './unit-parts.js';

/** The update that units are forgotten in, and where it stands in the run. */
export interface Forgetting {
  readonly before: Weights;
  readonly after: Weights;
  readonly moment: Moment;
  readonly memory: QassoMemory;
  readonly plan: QassoPlan;
}

/** The redundant elements of one tensor: where they stand, and for each its two terms of the decay. */
interface Redundant {
  readonly part: Part;
  readonly quantizer: Quantizer | undefined;
  readonly elements: Int32Array;
  /** sgn(x) c(x); x itself where the tensor is not quantized. */
  readonly clipped: Float64Array;
  /** sgn(x) R(x) times the coarsest step; zeros where the tensor is not quantized. */
  readonly residual: Float64Array;
}

/**
 * Moves redundant units towards zero: x ← x - αg - γ sgn(x) c - γ d sgn(x) R, after x - αg was done by the optimizer, with
 * one rate γ per group and one step d per tensor (see `forgetRate` and `redundantStep`). Returns the quantizers whose
 * steps it set.
 */
export function forgetUnits(weights: Map<string, Tensor>, of: Forgetting): ReadonlySet<Quantizer> {
  const { moment, memory, plan } = of;
  const coarseness = new Map<Quantizer, number>();
  if (moment.stage !== 'joint') return new Set();
  plan.groups.forEach((group, g) => {
    const units = unitsIn(memory.units[g]!, unitStates.redundant);
    if (units.length === 0) return;
    const found = group.parts.map((part) => redundantIn(part, units, { weights, of }));
    const angles = found.map(({ part, elements, clipped }) => angleOf(part, { elements, vector: clipped, of }));
    const elements = found.reduce((sum, each) => sum + each.elements.length, 0);
    let rate = forgetRate(total(angles), { at: moment.at, period: moment.length, elements });
    const scales = found.map(({ part, quantizer, elements: own, residual }) => {
      if (!quantizer) return 0;
      const angle = angleOf(part, { elements: own, vector: residual, of });
      const set = redundantStep(angle, { rate, finest: finestShare(quantizer, plan), coarsest: 1 });
      rate = set.rate;
      coarseness.set(quantizer, Math.min(coarseness.get(quantizer) ?? 1, set.step));
      return set.step;
    });
    found.forEach((each, i) => {
      decay(weights, each, { rate, scale: scales[i]! });
    });
  });
  for (const [quantizer, scale] of coarseness) setSteps(weights, quantizer, { scale, plan });
  return new Set(coarseness.keys());
}

/** The finest step as a share of the coarsest one; limits and exponents cancel. */
function finestShare({ signed }: Quantizer, { widths: { weights } }: QassoPlan): number {
  const unit = { limit: 1, signed };
  return stepFor(weights.max, unit) / stepFor(weights.min, unit);
}

function redundantIn(
  part: Part,
  units: readonly number[],
  { weights, of: { before, plan } }: { readonly weights: Weights; readonly of: Forgetting },
): Redundant {
  const x = before.get(part.value)!.data as Float32Array; // parts are of float32 weights
  const count = part.outer * part.inner * part.each * units.length;
  const elements = new Int32Array(count);
  let at = 0;
  for (const unit of units) {
    eachRun(part, unit, (from, to) => {
      for (let i = from; i < to; i++) elements[at++] = i;
    });
  }
  const quantizer = plan.quantizers.find(({ weight }) => weight === part.value);
  if (!quantizer) {
    return {
      part,
      quantizer,
      elements,
      clipped: Float64Array.from(elements, (i) => x[i]!),
      residual: new Float64Array(count),
    };
  }
  const [clipped, residual] = [new Float64Array(count), new Float64Array(count)];
  const lattice = latticeAt(weights, quantizer);
  const channels = Array.from({ length: quantizer.channels }, (_, channel) => {
    const own = lattice(channel);
    return { ...own, coarsest: stepFor(plan.widths.weights.min, own) };
  });
  elements.forEach((element, i) => {
    const { step, limit, exponent, coarsest } = channels[Math.floor(element / quantizer.inner) % quantizer.channels]!;
    const value = x[element]!;
    const sign = Math.sign(value);
    const c = Math.min(Math.abs(value), limit) ** exponent;
    clipped[i] = sign * c;
    residual[i] = sign * (roundHalfEven(c / step) - c / step) * coarsest;
  });
  return { part, quantizer, elements, clipped, residual };
}

function angleOf(
  part: Part,
  {
    elements,
    vector,
    of: { before, after },
  }: { readonly elements: Int32Array; readonly vector: Float64Array; readonly of: Forgetting },
): Angle {
  const [x, next] = [before, after].map((all) => all.get(part.value)!.data as Float32Array); // parts are of float32 weights
  let [product, own, direction] = [0, 0, 0];
  for (let i = 0; i < elements.length; i++) {
    const g = x![elements[i]!]! - next![elements[i]!]!;
    const v = vector[i]!;
    product += v * g;
    own += v * v;
    direction += g * g;
  }
  return { product, own, direction };
}

const total = (angles: readonly Angle[]): Angle =>
  angles.reduce(
    (sum, each) => ({
      product: sum.product + each.product,
      own: sum.own + each.own,
      direction: sum.direction + each.direction,
    }),
    { product: 0, own: 0, direction: 0 },
  );

function decay(
  weights: Map<string, Tensor>,
  { part, elements, clipped, residual }: Redundant,
  { rate, scale }: { readonly rate: number; readonly scale: number },
): void {
  const { data, shape } = weights.get(part.value)!; // parts are of trained weights
  const values = Float32Array.from(data as Float32Array);
  for (let i = 0; i < elements.length; i++) values[elements[i]!]! -= rate * (clipped[i]! + scale * residual[i]!);
  weights.set(part.value, floats(values, shape));
}

/** Sets all steps of a quantizer to one share of the coarsest. */
function setSteps(
  weights: Map<string, Tensor>,
  quantizer: Quantizer,
  { scale, plan }: { readonly scale: number; readonly plan: QassoPlan },
): void {
  const at = latticeAt(weights, quantizer);
  const steps = Float32Array.from(
    { length: quantizer.channels },
    (_, channel) => scale * stepFor(plan.widths.weights.min, at(channel)),
  );
  weights.set(quantizer.step, floats(steps, weights.get(quantizer.step)!.shape)); // every quantizer has a step
}
