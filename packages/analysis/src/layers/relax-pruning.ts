/** Still to zero: `zeros` of the undecided indices, whose refitted weights and inverse are given. */
export interface OpenPruning {
  /** G⁻¹ given what was decided, [m, m]. */
  readonly inverse: Float64Array;
  /** Refitted weights x, [m]. */
  readonly row: Float64Array;
  /** 1 to m. */
  readonly zeros: number;
}

/** How hard a bound is looked for. */
export interface RelaxationEffort {
  /** Frank-Wolfe steps at most. */
  readonly steps: number;
  /** A bound that suffices; the search stops there. */
  readonly enough: number;
}

/** Bounds of open prunings up to a size, with buffers of their own. */
export interface Relaxation {
  /** A lower bound of the error that zeroing the rest adds. `diagonal` is d for the m undecided indices. */
  bound(open: OpenPruning, diagonal: Float64Array, effort: RelaxationEffort): number;
  /** The relaxed choice of the last bound, in [0, 1]: how much of each index is zeroed. */
  readonly shares: Float64Array;
}

/**
 * The perspective relaxation of cardinality-constrained least squares. With H = G⁻¹⁻¹ the quadratic form of the
 * undecided, d >= 0 and H - diag(d) positive semidefinite, zeroing Z costs x_Zᵀ(G⁻¹_ZZ)⁻¹x_Z, which is at least
 *
 *     f(m) = Σ m_i d_i x_i² + (m∘x)ᵀ(D - D G⁻¹ D)(m∘x)   at the indicator m of Z,
 *
 * since A⁻¹ - 2D + DAD is positive semidefinite for any A; f is convex, so min f over 0 <= m <= 1, Σm = zeros, is a
 * bound, and so is its linearisation at any m: f(m) + min ∇f(m)·(m' - m), the `zeros` smallest gradients. (The
 * relaxation is that of Frangioni & Gentile 2006; in this form a step costs one product with G⁻¹ and no solve.)
 * A d found for all undecided indices stays feasible when some are zeroed or kept.
 */
export function createRelaxation(most: number): Relaxation {
  const buffers = Array.from({ length: 10 }, () => new Float64Array(most));
  const [shares, base, root, u, image, gradient, step, move, stepImage, scaled] = buffers as Ten;
  const order = new Int32Array(most);
  return {
    shares,
    bound({ inverse, row, zeros }, diagonal, { steps, enough }) {
      const size = row.length;
      for (let i = 0; i < size; i++) {
        root[i] = Math.sqrt(diagonal[i]!);
        base[i] = diagonal[i]! * row[i]! * row[i]!;
        order[i] = i;
        shares[i] = 0;
      }
      /** out = (I - D½G⁻¹D½)v, so that uᵀ·out is the second part of f for u_i = m_i·√d_i·x_i. */
      const apply = (v: Float64Array, out: Float64Array) => {
        for (let i = 0; i < size; i++) scaled[i] = root[i]! * v[i]!;
        for (let i = 0; i < size; i++) {
          const at = i * size;
          let sum = 0;
          for (let j = 0; j < size; j++) sum += inverse[at + j]! * scaled[j]!;
          out[i] = v[i]! - root[i]! * sum;
        }
      };
      sortBy(order, base, size);
      let best = 0;
      for (let i = 0; i < zeros; i++) {
        best += base[order[i]!]!;
        shares[order[i]!] = 1;
      }
      if (best >= enough || steps === 0) return best;
      for (let i = 0; i < size; i++) u[i] = shares[i]! * root[i]! * row[i]!;
      apply(u, image);
      for (let round = 0; round < steps; round++) {
        let bound = 0;
        for (let i = 0; i < size; i++) {
          gradient[i] = base[i]! + 2 * root[i]! * row[i]! * image[i]!;
          bound -= u[i]! * image[i]!;
        }
        sortBy(order, gradient, size);
        for (let i = 0; i < zeros; i++) bound += gradient[order[i]!]!;
        if (bound > best) best = bound;
        if (best >= enough) break;
        let slope = 0;
        for (let i = 0; i < size; i++) step[order[i]!] = (i < zeros ? 1 : 0) - shares[order[i]!]!;
        for (let i = 0; i < size; i++) slope += step[i]! * gradient[i]!;
        for (let i = 0; i < size; i++) move[i] = step[i]! * root[i]! * row[i]!;
        apply(move, stepImage);
        let curve = 0;
        for (let i = 0; i < size; i++) curve += move[i]! * stepImage[i]!;
        const length = curve > 0 ? Math.min(1, -slope / (2 * curve)) : 1;
        if (!(slope < 0 && length > 1e-12)) break;
        for (let i = 0; i < size; i++) {
          shares[i]! += length * step[i]!;
          u[i]! += length * move[i]!;
          image[i]! += length * stepImage[i]!;
        }
      }
      return best;
    },
  };
}

type F = Float64Array;
type Ten = [F, F, F, F, F, F, F, F, F, F];

// Insertion: few elements, and nearly in order from one step to the next.
function sortBy(order: Int32Array, key: Float64Array, size: number): void {
  for (let i = 1; i < size; i++) {
    const index = order[i]!;
    const value = key[index]!;
    let at = i;
    while (at > 0 && key[order[at - 1]!]! > value) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = index;
  }
}
