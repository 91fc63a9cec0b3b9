/**
 * Writes the lower factor L of A = LLᵀ into `out` (its upper triangle is left alone) and says whether A, symmetric and
 * row-major [size, size], is positive definite in float64. Only the lower triangle of A is read. size³/6 products.
 */
export function cholesky(a: Float64Array, size: number, out: Float64Array): boolean {
  for (let i = 0; i < size; i += 4) {
    if (i + 4 <= size) fourRows(a, size, { out, from: i });
    for (let row = i; row < Math.min(i + 4, size); row++) {
      if (!finishRow(a, size, { out, row, from: i + 4 <= size ? i : 0 })) return false;
    }
  }
  return true;
}

/** Entries of four rows left of the block on the diagonal: each earlier row is read once for all four. */
function fourRows(
  a: Float64Array,
  size: number,
  { out, from }: { readonly out: Float64Array; readonly from: number },
): void {
  const [r0, r1, r2, r3] = [from * size, (from + 1) * size, (from + 2) * size, (from + 3) * size];
  for (let j = 0; j < from; j++) {
    const other = j * size;
    let [s0, s1, s2, s3] = [a[r0 + j]!, a[r1 + j]!, a[r2 + j]!, a[r3 + j]!];
    for (let k = 0; k < j; k++) {
      const value = out[other + k]!;
      s0 -= out[r0 + k]! * value;
      s1 -= out[r1 + k]! * value;
      s2 -= out[r2 + k]! * value;
      s3 -= out[r3 + k]! * value;
    }
    const pivot = out[other + j]!;
    out[r0 + j] = s0 / pivot;
    out[r1 + j] = s1 / pivot;
    out[r2 + j] = s2 / pivot;
    out[r3 + j] = s3 / pivot;
  }
}

/** The entries of a row from a column on; false where the pivot is not positive. */
function finishRow(
  a: Float64Array,
  size: number,
  { out, row: i, from }: { readonly out: Float64Array; readonly row: number; readonly from: number },
): boolean {
  const row = i * size;
  for (let j = from; j <= i; j++) {
    const other = j * size;
    let sum = a[row + j]!;
    for (let k = 0; k < j; k++) sum -= out[row + k]! * out[other + k]!;
    if (j < i) out[row + j] = sum / out[other + j]!;
    else if (sum > 0 && sum < Number.POSITIVE_INFINITY) out[row + i] = Math.sqrt(sum);
    else return false;
  }
  return true;
}

/** Solves LLᵀx = b in place, x over b. */
export function solveCholesky(factor: Float64Array, size: number, x: Float64Array): void {
  solveLower(factor, size, x);
  for (let i = size - 1; i >= 0; i--) {
    const value = x[i]! / factor[i * size + i]!;
    x[i] = value;
    const row = i * size;
    for (let k = 0; k < i; k++) x[k]! -= factor[row + k]! * value;
  }
}

/** Solves Lx = b in place, x over b. */
export function solveLower(factor: Float64Array, size: number, x: Float64Array): void {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= factor[row + k]! * x[k]!;
    x[i] = sum / factor[row + i]!;
  }
}

/** Writes A⁻¹ = (LLᵀ)⁻¹ into `out`, both triangles; `scratch` is overwritten. All are [size, size]. */
export function invertCholesky(factor: Float64Array, size: number, out: Float64Array, scratch: Float64Array): void {
  // Row i of scratch is column i of L⁻¹, so that both products below run along rows.
  for (let i = 0; i < size; i++) {
    const column = i * size;
    scratch[column + i] = 1 / factor[column + i]!;
    for (let k = i + 1; k < size; k++) {
      const row = k * size;
      let sum = 0;
      for (let m = i; m < k; m++) sum -= factor[row + m]! * scratch[column + m]!;
      scratch[column + k] = sum / factor[row + k]!;
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      let sum = 0;
      for (let k = j; k < size; k++) sum += scratch[i * size + k]! * scratch[j * size + k]!;
      out[i * size + j] = sum;
      out[j * size + i] = sum;
    }
  }
}

/** A⁻¹, or undefined where A is not positive definite. */
export function inverseOf(a: Float64Array, size: number): Float64Array | undefined {
  const factor = new Float64Array(size * size);
  if (!cholesky(a, size, factor)) return undefined;
  const out = new Float64Array(size * size);
  invertCholesky(factor, size, out, new Float64Array(size * size));
  return out;
}

/**
 * Solves XLLᵀ = B in place, row by row of B [count, size], four rows at a time so that L is read less often.
 * count·size² products.
 */
export function solveCholeskyRows(factor: Float64Array, size: number, rows: Float64Array): void {
  const count = rows.length / size;
  let row = 0;
  for (; row + 4 <= count; row += 4) solveFour(factor, size, rows.subarray(row * size, (row + 4) * size));
  for (; row < count; row++) solveCholesky(factor, size, rows.subarray(row * size, (row + 1) * size));
}

function solveFour(factor: Float64Array, size: number, x: Float64Array): void {
  const [b, c, d] = [size, 2 * size, 3 * size];
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let [s0, s1, s2, s3] = [x[i]!, x[b + i]!, x[c + i]!, x[d + i]!];
    for (let k = 0; k < i; k++) {
      const value = factor[row + k]!;
      s0 -= value * x[k]!;
      s1 -= value * x[b + k]!;
      s2 -= value * x[c + k]!;
      s3 -= value * x[d + k]!;
    }
    const pivot = factor[row + i]!;
    x[i] = s0 / pivot;
    x[b + i] = s1 / pivot;
    x[c + i] = s2 / pivot;
    x[d + i] = s3 / pivot;
  }
  for (let i = size - 1; i >= 0; i--) {
    const row = i * size;
    const pivot = factor[row + i]!;
    const [s0, s1, s2, s3] = [x[i]! / pivot, x[b + i]! / pivot, x[c + i]! / pivot, x[d + i]! / pivot];
    x[i] = s0;
    x[b + i] = s1;
    x[c + i] = s2;
    x[d + i] = s3;
    for (let k = 0; k < i; k++) {
      const value = factor[row + k]!;
      x[k]! -= value * s0;
      x[b + k]! -= value * s1;
      x[c + k]! -= value * s2;
      x[d + k]! -= value * s3;
    }
  }
}
