/** dᵀAd for a symmetric, row-major A of [n, n], n being the length of d: the squared output error of a change d. */
export function quadraticForm(a: Float64Array, d: Float64Array): number {
  const size = d.length;
  let total = 0;
  for (let i = 0; i < size; i++) {
    if (d[i] === 0) continue;
    const row = i * size;
    let sum = 0;
    for (let j = 0; j < i; j++) sum += a[row + j]! * d[j]!;
    total += d[i]! * (2 * sum + a[row + i]! * d[i]!);
  }
  return total;
}
