import { inverseOf } from './cholesky.js';
import { gramIndefinite } from './errors.js';

/**
 * (G + ρI)⁻¹ with ρ = damping · mean(diag G), raised tenfold until it can be inverted. Inputs that are always 0 get a
 * diagonal of 1 first. Heuristics alone are damped: a bound for G + ρI would be one for another error.
 * @throws LAYER_GRAM where a damping of 1 does not help, since then G is no XᵀX.
 */
export function dampedInverse(gram: Float64Array, size: number, damping: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  const mean = trace > 0 ? trace / size : 1;
  for (let share = damping; share <= 1; share = share === 0 ? 1e-8 : share * 10) {
    const damped = gram.slice();
    for (let i = 0; i < size; i++) {
      const at = i * size + i;
      damped[at] = damped[at] === 0 ? mean : damped[at]! + share * mean;
    }
    const inverse = inverseOf(damped, size);
    if (inverse) return inverse;
  }
  throw gramIndefinite('not positive semidefinite, whatever the damping');
}
