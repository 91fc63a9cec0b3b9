/** The rows and columns `indices` of a row-major [size, size] matrix, in that order. */
export function subMatrix(a: Float64Array, size: number, indices: Uint32Array): Float64Array {
  const count = indices.length;
  const out = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const row = indices[i]! * size;
    for (let j = 0; j < count; j++) out[i * count + j] = a[row + indices[j]!]!;
  }
  return out;
}
