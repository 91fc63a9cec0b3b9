import { cholesky, solveCholesky } from '@espalier/ops';
import type { PrunedRow } from './pruning-problem.js';
import { quadraticForm } from './quadratic-form.js';

/**
 * The kept weights that make up best for the zeroed ones: v_K = w_K + G_KK⁻¹ G_KZ w_Z, least squares on the outputs.
 * Where G_KK cannot be inverted, 1e-9 of its mean diagonal (then tenfold more, until it can) is added for the solution;
 * the error is that under G itself. |K|³/6 products.
 */
export function refitKept(gram: Float64Array, weight: Float64Array, zeroed: ArrayLike<number>): PrunedRow {
  const size = weight.length;
  const gone = new Uint8Array(size);
  for (let i = 0; i < zeroed.length; i++) gone[zeroed[i]!] = 1;
  const all = Uint32Array.from({ length: size }, (_, i) => i);
  const kept = all.filter((i) => !gone[i]);
  const zeros = all.filter((i) => gone[i]);
  const count = kept.length;
  const shift = Float64Array.from(kept, (i) => {
    let sum = 0;
    for (const j of zeros) sum += gram[i * size + j]! * weight[j]!;
    return sum;
  });
  if (zeros.length > 0) solveKept(gram, kept, shift);
  const out = new Float64Array(size);
  for (let i = 0; i < count; i++) out[kept[i]!] = weight[kept[i]!]! + shift[i]!;
  const change = out.map((value, i) => value - weight[i]!);
  return { weight: out, zeroed: zeros, error: Math.max(0, quadraticForm(gram, change)) };
}

function solveKept(gram: Float64Array, kept: Uint32Array, x: Float64Array): void {
  const count = kept.length;
  const size = Math.sqrt(gram.length);
  const matrix = new Float64Array(count * count);
  const factor = new Float64Array(count * count);
  let trace = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) matrix[i * count + j] = gram[kept[i]! * size + kept[j]!]!;
    trace += matrix[i * count + i]!;
  }
  if (!(trace > 0)) {
    x.fill(0); // inputs that are always 0: any weight will do
    return;
  }
  let added = 0;
  for (let share = 1e-9; !cholesky(matrix, count, factor); share *= 10) {
    const damping = (share * trace) / count;
    for (let i = 0; i < count; i++) matrix[i * count + i]! += damping - added;
    added = damping;
  }
  solveCholesky(factor, count, x);
}
