/**
 * The row of weights on which bounds are checked against printed values: X_ij = sin(1 + 0.7(i+1)(j+1)) +
 * 0.5·cos(0.3(i+1)), i = 0..4n-1, as XᵀX, and w_j = cos(2j + 1).
 */
export function sineRow(n: number): { readonly gram: Float64Array; readonly weight: Float64Array } {
  const gram = new Float64Array(n * n);
  for (let s = 1; s <= 4 * n; s++) {
    const x = Array.from({ length: n }, (_, j) => Math.sin(1 + 0.7 * s * (j + 1)) + 0.5 * Math.cos(0.3 * s));
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j]! += x[i]! * x[j]!;
  }
  return { gram, weight: Float64Array.from({ length: n }, (_, j) => Math.cos(2 * j + 1)) };
}
