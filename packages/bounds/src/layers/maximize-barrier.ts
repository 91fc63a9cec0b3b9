import { cholesky, invertCholesky, solveCholesky } from '@espalier/ops';
import type { Root } from './search-root.js';

/** Maximise over v >= 0: min over y of (y - t)ᵀA(y - t) - Σ_j v_j·sign_j·(y_i - low_j)(y_i - high_j). */
export interface DualProblem {
  /** A, positive definite, [n, n], scaled to a mean diagonal of about 1. */
  readonly matrix: Float64Array;
  /** t, [n]. */
  readonly target: Float64Array;
  readonly roots: readonly Root[];
}

/** The dual value at some feasible multipliers. */
export interface DualValue {
  readonly value: number;
  readonly steps: number;
}

/**
 * A log-barrier Newton method on g(v) + μ(Σ ln v_j + ln det B), B = A - diag(Σ v_j·sign_j): with M = B⁻¹ and y the inner
 * minimum, ∂g/∂v_j = -sign_j(y_i - low_j)(y_i - high_j) and ∂²g/∂v_j∂v_k = -2·sign_j·sign_k·c_j·M_ik·c_k with
 * c_j = y_i - (low_j + high_j)/2. μ falls by 8 until (n + m)μ is the precision times |g|. The value returned is the
 * largest seen, less a slack for float64.
 */
export function maximizeBarrier(problem: DualProblem, precision: number): DualValue {
  const size = problem.target.length;
  const count = problem.roots.length;
  const point = createPoint(problem);
  startInside(point, problem.matrix, problem.roots);
  if (!evaluate(problem, point)) return { value: 0, steps: 0 };
  const room = createRoom(problem);
  const best = { value: point.value, steps: 0 };
  for (let mu = 0.05; ; mu /= 8) {
    for (let round = 0; round < 30 && newtonStep(problem, point, { ...room, mu }); round++) {
      best.steps++;
      best.value = Math.max(best.value, point.value);
    }
    if ((size + count) * mu < precision * Math.max(Math.abs(best.value), 1e-3) || best.steps > 400) return best;
  }
}

interface Room {
  readonly trial: Point;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
  readonly factor: Float64Array;
  readonly direction: Float64Array;
}

function createRoom(problem: DualProblem): Room {
  const count = problem.roots.length;
  return {
    trial: createPoint(problem),
    gradient: new Float64Array(count),
    hessian: new Float64Array(count * count),
    factor: new Float64Array(count * count),
    direction: new Float64Array(count),
  };
}

/** Moves the point one step along the Newton direction; false where it is near the center, or float64 sees no gain. */
function newtonStep(problem: DualProblem, point: Point, room: Room & { readonly mu: number }): boolean {
  const { trial, gradient, hessian, factor, direction, mu } = room;
  const count = gradient.length;
  derivatives({ problem, point, mu, gradient, hessian });
  direction.set(gradient);
  if (!cholesky(hessian, count, factor)) return false;
  solveCholesky(factor, count, direction);
  let decrement = 0;
  let length = 1;
  for (let j = 0; j < count; j++) {
    decrement += gradient[j]! * direction[j]!;
    if (direction[j]! < 0) length = Math.min(length, (-0.9 * point.multipliers[j]!) / direction[j]!);
  }
  // Half the decrement is what a step can still gain; the barrier itself leaves (n + m)μ open.
  if (!(decrement > 1e-2 * mu)) return false;
  const start = point.value + mu * barrier(point);
  for (let tries = 0; tries < 40; tries++, length /= 2) {
    for (let j = 0; j < count; j++) trial.multipliers[j] = point.multipliers[j]! + length * direction[j]!;
    if (!evaluate(problem, trial)) {
      length *= 0.7; // not right up to where B turns singular: from there it takes many steps back
    } else if (trial.value + mu * barrier(trial) >= start + 0.25 * length * decrement) {
      copyPoint(trial, point);
      return true;
    }
  }
  return false;
}

interface Point {
  readonly multipliers: Float64Array;
  readonly factor: Float64Array;
  readonly inverse: Float64Array;
  readonly scratch: Float64Array;
  readonly minimum: Float64Array;
  value: number;
}

const createPoint = ({ target, roots }: DualProblem): Point => {
  const size = target.length;
  return {
    multipliers: new Float64Array(roots.length),
    factor: new Float64Array(size * size),
    inverse: new Float64Array(size * size),
    scratch: new Float64Array(size * size),
    minimum: new Float64Array(size),
    value: 0,
  };
};

function copyPoint(from: Point, to: Point): void {
  to.multipliers.set(from.multipliers);
  to.factor.set(from.factor);
  to.minimum.set(from.minimum);
  to.value = from.value;
}

// D = diag(0.5 / (n·(A⁻¹)_ii)) is inside: the largest eigenvalue of D½A⁻¹D½ is at most its trace, 0.5.
function startInside(point: Point, matrix: Float64Array, roots: readonly Root[]): void {
  const size = point.minimum.length;
  if (!cholesky(matrix, size, point.factor)) return;
  invertCholesky(point.factor, size, point.inverse, point.scratch);
  const shares = new Uint16Array(size);
  for (const { index, sign } of roots) if (sign > 0) shares[index]!++;
  roots.forEach(({ index, sign }, j) => {
    const at = index * size + index;
    // Those that add to the diagonal cannot leave the cone.
    point.multipliers[j] = sign < 0 ? 0.1 * matrix[at]! : 0.5 / (size * shares[index]! * point.inverse[at]!);
  });
}

/** Value and inner minimum at the point's multipliers; false where B is not positive definite. */
function evaluate({ matrix, target, roots }: DualProblem, point: Point): boolean {
  const size = target.length;
  const { multipliers, scratch, factor, minimum } = point;
  scratch.set(matrix);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * target[j]!;
    minimum[i] = sum;
  }
  for (let j = 0; j < roots.length; j++) {
    const { index, sign, low, high } = roots[j]!;
    scratch[index * size + index]! -= sign * multipliers[j]!;
    minimum[index]! -= 0.5 * sign * multipliers[j]! * (low + high);
  }
  if (!cholesky(scratch, size, factor)) return false;
  solveCholesky(factor, size, minimum);
  let value = 0;
  let magnitude = 0;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * (minimum[j]! - target[j]!);
    const part = (minimum[i]! - target[i]!) * sum;
    value += part;
    magnitude += Math.abs(part);
  }
  for (let j = 0; j < roots.length; j++) {
    const { index, sign, low, high } = roots[j]!;
    const part = multipliers[j]! * sign * (minimum[index]! - low) * (minimum[index]! - high);
    value -= part;
    magnitude += Math.abs(part);
  }
  point.value = value - 1e-12 * size * magnitude;
  return true;
}

function barrier({ multipliers, factor, minimum }: Point): number {
  const size = minimum.length;
  let sum = 0;
  for (const each of multipliers) sum += Math.log(each);
  for (let i = 0; i < size; i++) sum += 2 * Math.log(factor[i * size + i]!);
  return sum;
}

/** The gradient, and minus the Hessian (positive definite), of the barrier function at an evaluated point. */
function derivatives(of: {
  readonly problem: DualProblem;
  readonly point: Point;
  readonly mu: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}): void {
  const { problem, point, mu, gradient, hessian } = of;
  const { roots, target } = problem;
  const { multipliers, minimum, inverse } = point;
  const size = target.length;
  const count = roots.length;
  invertCholesky(point.factor, size, inverse, point.scratch);
  for (let j = 0; j < count; j++) {
    const { index: i, sign, low, high } = roots[j]!;
    const slope = -sign * ((minimum[i]! - low) * (minimum[i]! - high) + mu * inverse[i * size + i]!);
    gradient[j] = slope + mu / multipliers[j]!;
    const center = minimum[i]! - (low + high) / 2;
    for (let k = 0; k <= j; k++) {
      const other = roots[k]!;
      const both = sign * other.sign * inverse[i * size + other.index]!;
      const reach = minimum[other.index]! - (other.low + other.high) / 2;
      hessian[j * count + k] =
        2 * center * both * reach + mu * inverse[i * size + other.index]! ** 2 * sign * other.sign;
    }
    // μ/v² is the curvature of μ ln v; at the optimum it is -slope/v. Before, the latter takes a multiplier there in one
    // step (as primal-dual methods do) where Newton's own would double a small one again and again.
    hessian[j * count + j]! += (slope < 0 ? -slope : mu / multipliers[j]!) / multipliers[j]!;
  }
}
