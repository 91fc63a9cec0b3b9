/** Arrays of one precision: float32 to train, float64 to check gradients. */
export type Numbers = Float32Array | Float64Array;

/** Makes arrays of zeros of the precision in use. */
export type Allocate = (length: number) => Numbers;

/** Views of the operands with their sizes. */
interface Operands {
  readonly a: Numbers;
  readonly b: Numbers;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** C[m,n] += A[m,k] B[k,n], four rows of B at a time so that C is read and written less often. */
export function multiplyAdd(c: Numbers, { a, b, m, k, n }: Operands): void {
  for (let i = 0; i < m; i++) {
    const to = i * n;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const w0 = a[i * k + p]!;
      const w1 = a[i * k + p + 1]!;
      const w2 = a[i * k + p + 2]!;
      const w3 = a[i * k + p + 3]!;
      const from = p * n;
      for (let j = 0; j < n; j++) {
        const at = from + j;
        c[to + j] = c[to + j]! + w0 * b[at]! + w1 * b[at + n]! + w2 * b[at + 2 * n]! + w3 * b[at + 3 * n]!;
      }
    }
    for (; p < k; p++) {
      const w = a[i * k + p]!;
      for (let j = 0; j < n; j++) c[to + j] = c[to + j]! + w * b[p * n + j]!;
    }
  }
}

/** C[m,k] += A[m,n] Bᵀ with B[k,n]: dot products of rows, four at a time. */
export function multiplyAddTransposed(c: Numbers, { a, b, m, k, n }: Operands): void {
  for (let i = 0; i < m; i++) {
    const x = i * n;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const y = p * n;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let j = 0; j < n; j++) {
        const left = a[x + j]!;
        s0 += left * b[y + j]!;
        s1 += left * b[y + n + j]!;
        s2 += left * b[y + 2 * n + j]!;
        s3 += left * b[y + 3 * n + j]!;
      }
      const at = i * k + p;
      c[at] = c[at]! + s0;
      c[at + 1] = c[at + 1]! + s1;
      c[at + 2] = c[at + 2]! + s2;
      c[at + 3] = c[at + 3]! + s3;
    }
    for (; p < k; p++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += a[x + j]! * b[p * n + j]!;
      c[i * k + p] = c[i * k + p]! + sum;
    }
  }
}

/** A[m,k] as [k,m], into `out`. */
export function transpose(
  a: Numbers,
  { m, k, out }: { readonly m: number; readonly k: number; readonly out: Numbers },
) {
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) out[p * m + i] = a[i * k + p]!;
  }
  return out;
}
