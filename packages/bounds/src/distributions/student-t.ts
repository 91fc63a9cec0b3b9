import { badOption } from '@espalier/core';
import type { Distribution, MomentOrder } from './distribution.js';
import { antiderivative } from './integrate.js';

/**
 * Student's t with ν > 0 degrees of freedom: p(x) = C (1 + x²/ν)^(-(ν+1)/2), C = Γ((ν+1)/2) / (√(νπ) Γ(ν/2)). Its
 * second moment is finite for ν > 2, its fourth for ν > 4: cut it off with `truncated` below that. ν = 2 has closed
 * forms; otherwise partial moments are quadratures to 1e-12 (A₁ is closed for every ν).
 */
export function studentT(freedom: number): Distribution {
  if (!(freedom > 0)) throw badOption('freedom', { expected: 'a number above 0', found: freedom });
  const closed = freedom === 2 ? twoDegrees : generalMoments(freedom);
  return {
    name: `Student-t with ${freedom} degrees of freedom`,
    limit: Number.POSITIVE_INFINITY,
    moment: (order, x) => {
      const size = Math.abs(x);
      const moment = size === Number.POSITIVE_INFINITY ? wholeMoment(freedom, order) : closed(order, size);
      return order === 1 ? moment : Math.sign(x) * moment;
    },
  };
}

type Moments = (order: MomentOrder, x: number) => number;

/** ν = 2: p(x) = (2 + x²)^(-3/2). */
const twoDegrees: Moments = (order, x) => {
  const root = Math.sqrt(2 + x * x);
  switch (order) {
    case 0:
      return x / (2 * root);
    case 1:
      return Math.SQRT1_2 - 1 / root;
    case 2:
      return Math.asinh(x / Math.SQRT2) - x / root;
    case 4:
      return (x * root) / 2 + (2 * x) / root - 3 * Math.asinh(x / Math.SQRT2);
  }
};

function generalMoments(freedom: number): Moments {
  const c = densityAtZero(freedom);
  const density = (x: number) => c * (1 + (x * x) / freedom) ** (-(freedom + 1) / 2);
  const scale = Math.sqrt(freedom);
  const even = {
    0: antiderivative(density, scale),
    2: antiderivative((u) => u * u * density(u), scale),
    4: antiderivative((u) => u ** 4 * density(u), scale),
  };
  return (order, x) => (order === 1 ? firstMoment(freedom, c, x) : even[order](x));
}

function firstMoment(freedom: number, c: number, x: number): number {
  const log = Math.log1p((x * x) / freedom);
  if (freedom === 1) return (c * log) / 2;
  return ((c * freedom) / (1 - freedom)) * Math.expm1((log * (1 - freedom)) / 2);
}

/** ∫₀^∞: half of E|W|ᵏ; infinite where the tail is too heavy. */
function wholeMoment(freedom: number, order: MomentOrder): number {
  if (order >= freedom) return Number.POSITIVE_INFINITY;
  const v = freedom;
  switch (order) {
    case 0:
      return 0.5;
    case 1:
      return (v * densityAtZero(v)) / (v - 1);
    case 2:
      return v / (v - 2) / 2;
    case 4:
      return (3 * v * v) / ((v - 2) * (v - 4)) / 2;
  }
}

/** p(0) = Γ((ν+1)/2) / (√(νπ) Γ(ν/2)). */
const densityAtZero = (freedom: number): number =>
  Math.exp(logGamma((freedom + 1) / 2) - logGamma(freedom / 2)) / Math.sqrt(freedom * Math.PI);

/** ln Γ(x) for x > 0 by Stirling's series (Abramowitz and Stegun 6.1.41) after shifting x beyond 12; about 1e-14. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const square = 1 / (z * z);
  const tail = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + tail - shift;
}
