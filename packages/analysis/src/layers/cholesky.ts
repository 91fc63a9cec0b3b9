/**
 * Writes the lower factor L of A = LLᵀ into `out` (its upper triangle is left alone) and says whether A, symmetric and
 * row-major [size, size], is positive definite in float64. Only the lower triangle of A is read. size³/6 products.
 */
export function cholesky(a: Float64Array, size: number, out: Float64Array): boolean {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j <= i; j++) {
      const other = j * size;
      let sum = a[row + j]!;
      for (let k = 0; k < j; k++) sum -= out[row + k]! * out[other + k]!;
      if (j < i) out[row + j] = sum / out[other + j]!;
      else if (sum > 0 && sum < Number.POSITIVE_INFINITY) out[row + i] = Math.sqrt(sum);
      else return false;
    }
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
