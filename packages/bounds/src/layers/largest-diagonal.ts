import { cholesky, invertCholesky, solveCholesky } from '@espalier/ops';

/**
 * A diagonal d >= 0 with H - diag(d) positive definite and nearly the largest Σ c_i·d_i, by a log-barrier Newton method on
 * c·d + μ(ln det(H - D) + Σ ln d_i): gradient c_i + μ(1/d_i - M_ii), M = (H - D)⁻¹, Hessian -μ(M_ij² + [i=j]/d_i²).
 * H must be positive definite, c positive. About 20 steps of 2/3·n³ products.
 */
export function largestDiagonal(h: Float64Array, c: Float64Array): Float64Array {
  const size = c.length;
  const square = () => new Float64Array(size * size);
  const [shifted, factor, inverse, scratch, hessian] = [square(), square(), square(), square(), square()];
  const feasible = (d: Float64Array): boolean => {
    shifted.set(h);
    for (let i = 0; i < size; i++) {
      if (!(d[i]! > 0)) return false;
      shifted[i * size + i]! -= d[i]!;
    }
    return cholesky(shifted, size, factor);
  };
  const zero = new Float64Array(size);
  const d = new Float64Array(size);
  shifted.set(h);
  if (!cholesky(shifted, size, factor)) return zero;
  invertCholesky(factor, size, inverse, scratch);
  let reach = 0;
  for (let i = 0; i < size; i++) {
    d[i] = 0.5 / (size * inverse[i * size + i]!);
    reach += c[i]! / inverse[i * size + i]!; // d_i < 1/(H⁻¹)_ii for every feasible d
  }
  if (!feasible(d)) return zero;
  const direction = new Float64Array(size);
  const trial = new Float64Array(size);
  for (let mu = reach / size; mu > (1e-4 * reach) / size; mu /= 10) {
    for (let round = 0; round < 20; round++) {
      feasible(d);
      invertCholesky(factor, size, inverse, scratch);
      for (let i = 0; i < size; i++) {
        direction[i] = c[i]! / mu + 1 / d[i]! - inverse[i * size + i]!;
        for (let j = 0; j <= i; j++) hessian[i * size + j] = inverse[i * size + j]! ** 2;
        hessian[i * size + i]! += 1 / d[i]! ** 2;
      }
      const gradient = direction.slice();
      if (!cholesky(hessian, size, scratch)) break;
      solveCholesky(scratch, size, direction);
      let decrement = 0;
      for (let i = 0; i < size; i++) decrement += gradient[i]! * direction[i]!;
      // The damped Newton step of a self-concordant barrier is always inside and always gains.
      let length = 1 / (1 + Math.sqrt(Math.max(0, decrement)));
      if (decrement < 0.06) length = 1;
      for (;;) {
        for (let i = 0; i < size; i++) trial[i] = d[i]! + length * direction[i]!;
        if (feasible(trial) || length < 1e-12) break;
        length /= 2;
      }
      if (length < 1e-12) return d;
      d.set(trial);
      if (decrement < 0.06) break;
    }
  }
  return d;
}
