import { cholesky, gramIndefinite, subMatrix } from '@espalier/ops';

/**
 * The lower triangular L with G + ρI = LᵀL, rows and columns taken in `order`; ρ = damping · mean(diag G), raised tenfold
 * until the matrix is positive definite. Inputs that are always 0 get the mean diagonal first. With it,
 * dᵀ(G + ρI)d = Σ_k (Σ_{j≤k} L_kj d_j)², so that a later d_k can make up for earlier ones. size³/6 products.
 * @throws LAYER_GRAM where a damping of 1 does not help, since then G is no XᵀX.
 */
export function dampedFactor(
  gram: Float64Array,
  size: number,
  { damping, order }: { readonly damping: number; readonly order: Uint32Array },
): Float64Array {
  const reversed = Uint32Array.from(order).reverse();
  const turned = subMatrix(gram, size, reversed);
  let trace = 0;
  for (let i = 0; i < size; i++) trace += turned[i * size + i]!;
  const mean = trace > 0 ? trace / size : 1;
  const diagonal = Float64Array.from({ length: size }, (_, i) => turned[i * size + i]! || mean);
  const lower = new Float64Array(size * size);
  for (let share = damping; share <= 1; share = share === 0 ? 1e-8 : share * 10) {
    for (let i = 0; i < size; i++) turned[i * size + i] = diagonal[i]! + share * mean;
    // Turned by 180 degrees, the lower factor C of the reversed matrix is the transpose of L.
    if (cholesky(turned, size, lower)) return turnedOver(lower, size);
  }
  throw gramIndefinite('not positive semidefinite, whatever the damping');
}

function turnedOver(lower: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) out[(size - 1 - j) * size + (size - 1 - i)] = lower[i * size + j]!;
  }
  return out;
}
