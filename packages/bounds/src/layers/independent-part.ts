import { cholesky, gramIndefinite, solveCholesky, subMatrix } from '@espalier/ops';

/** The part of a quadratic form that stays definite when all indistinguishable directions are left free. */
export interface IndependentPart {
  /** Indices kept, ascending. */
  readonly kept: Uint32Array;
  /** Schur complement over the kept indices, [kept, kept], positive definite. */
  readonly matrix: Float64Array;
}

const tolerance = 1e-11; // of a pivot of the matrix scaled to a diagonal of 1
const negative = 1e-5; // what float32 sums may leave below 0

/**
 * Takes what is linearly dependent out of a positive semidefinite A, such that a lower bound for the rest is one for
 * all: with N the null space, every index that a null vector touches is minimised over freely (Schur complement),
 * which can only lower dᵀAd. Inputs that are always 0 just vanish. A definite A comes back as it is.
 * @throws LAYER_GRAM where a pivot is clearly negative.
 */
export function independentPart(a: Float64Array, size: number): IndependentPart {
  const factor = new Float64Array(size * size);
  if (cholesky(a, size, factor) && smallestPivot(a, factor, size) > tolerance) {
    return { kept: Uint32Array.from({ length: size }, (_, i) => i), matrix: a };
  }
  const { order, rank, rows } = pivoted(a, size);
  const free = new Uint8Array(size); // touched by a null vector
  for (let d = rank; d < size; d++) {
    const column = order[d]!;
    free[column] = 1;
    if (!(a[column * size + column]! > 0)) continue;
    // Null vector: the dependent column written in the independent ones, Lᵀx = l_d.
    const x = new Float64Array(rank);
    for (let i = rank - 1; i >= 0; i--) {
      let sum = rows[d * size + i]!;
      for (let k = i + 1; k < rank; k++) sum -= rows[k * size + i]! * x[k]!;
      x[i] = sum / rows[i * size + i]!;
    }
    for (let i = 0; i < rank; i++) if (Math.abs(x[i]!) > 1e-7) free[order[i]!] = 1;
  }
  const kept = order.filter((_, i) => i < rank && !free[order[i]!]).sort();
  const relaxed = order.filter((_, i) => i < rank && free[order[i]!]);
  return { kept, matrix: schur(a, size, { kept, relaxed }) };
}

function smallestPivot(a: Float64Array, factor: Float64Array, size: number): number {
  let least = 1;
  for (let i = 0; i < size; i++) least = Math.min(least, factor[i * size + i]! ** 2 / a[i * size + i]!);
  return least;
}

// Cholesky with the largest scaled pivot next; rows of the factor stand in the order of `order`.
function pivoted(a: Float64Array, size: number) {
  const scale = Float64Array.from({ length: size }, (_, i) => 1 / Math.sqrt(a[i * size + i]! || 1));
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  const rest = Float64Array.from({ length: size }, (_, i) => (a[i * size + i]! > 0 ? 1 : 0));
  const rows = new Float64Array(size * size);
  let rank = 0;
  for (; rank < size; rank++) {
    let best = rank;
    for (let i = rank + 1; i < size; i++) if (rest[order[i]!]! > rest[order[best]!]!) best = i;
    if (!(rest[order[best]!]! > tolerance)) break;
    swapRows(rows, size, rank, best);
    [order[rank], order[best]] = [order[best]!, order[rank]!];
    const pivot = Math.sqrt(rest[order[rank]!]!);
    rows[rank * size + rank] = pivot;
    for (let i = rank + 1; i < size; i++) {
      const [to, from] = [order[i]!, order[rank]!];
      let sum = a[to * size + from]! * scale[to]! * scale[from]!;
      for (let k = 0; k < rank; k++) sum -= rows[i * size + k]! * rows[rank * size + k]!;
      rows[i * size + rank] = sum / pivot;
      rest[to]! -= (sum / pivot) ** 2;
    }
  }
  for (let i = rank; i < size; i++) {
    if (rest[order[i]!]! < -negative) throw gramIndefinite('a negative eigenvalue');
  }
  return { order, rank, rows };
}

function swapRows(rows: Float64Array, size: number, i: number, j: number): void {
  if (i === j) return;
  const kept = rows.slice(i * size, (i + 1) * size);
  rows.copyWithin(i * size, j * size, (j + 1) * size);
  rows.set(kept, j * size);
}

function schur(
  a: Float64Array,
  size: number,
  { kept, relaxed }: { readonly kept: Uint32Array; readonly relaxed: Uint32Array },
): Float64Array {
  const [n, m] = [kept.length, relaxed.length];
  const out = subMatrix(a, size, kept);
  if (m === 0) return out;
  const inner = subMatrix(a, size, relaxed);
  const factor = new Float64Array(m * m);
  if (!cholesky(inner, m, factor)) throw gramIndefinite('an indefinite part');
  const solved = new Float64Array(m);
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < m; k++) solved[k] = a[relaxed[k]! * size + kept[j]!]!;
    solveCholesky(factor, m, solved);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += a[relaxed[k]! * size + kept[i]!]! * solved[k]!;
      out[i * n + j]! -= sum;
    }
  }
  return out;
}
