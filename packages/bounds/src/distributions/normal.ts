import type { Distribution } from './distribution.js';
import { errorFunction } from './error-function.js';

/** The normal distribution with mean 0 and variance 1. With its density φ: A₀ = erf(x/√2)/2, A₁ = φ(0) - φ(x), A₂ = A₀ - xφ, A₄ = 3A₀ - (x³ + 3x)φ. */
export const normal: Distribution = {
  name: 'normal',
  limit: Number.POSITIVE_INFINITY,
  moment: (order, x) => {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const mass = errorFunction(x / Math.SQRT2) / 2;
    // e^(-x²/2) is 0 long before a power of x times it could be anything but 0.
    const falling = (power: number) => (density === 0 ? 0 : x ** power * density);
    switch (order) {
      case 0:
        return mass;
      case 1:
        return 1 / Math.sqrt(2 * Math.PI) - density;
      case 2:
        return mass - falling(1);
      case 4:
        return 3 * mass - falling(3) - 3 * falling(1);
    }
  },
};
