/** Still to zero: `zeros` of the undecided indices, whose refitted weights and inverse are given. */
export interface OpenPruning {
  /** G⁻¹ given what was decided, [m, m]. */
  readonly inverse: Float64Array;
  /** Refitted weights x, [m]. */
  readonly row: Float64Array;
  /** 1 to m. */
  readonly zeros: number;
}

/** The effort of the search for a bound. */
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
  const buffers = createBuffers(most);
  return {
    shares: buffers.shares,
    bound(open, diagonal, { steps, enough }) {
      let best = begin(buffers, open, diagonal);
      if (best >= enough || steps === 0) return best;
      apply(buffers, open, buffers.image);
      for (let round = 0; round < steps; round++) {
        best = Math.max(best, linearized(buffers, open));
        if (best >= enough || !descend(buffers, open)) break;
      }
      return best;
    },
  };
}

interface Buffers {
  /** m, then √d, d·x², and u = m·√d·x. */
  readonly shares: Float64Array;
  readonly root: Float64Array;
  readonly base: Float64Array;
  readonly u: Float64Array;
  /** (I - D½G⁻¹D½)u: the second part of f is uᵀ·image. */
  readonly image: Float64Array;
  readonly gradient: Float64Array;
  /** The way to the next m, and what u and image become along it. */
  readonly step: Float64Array;
  readonly move: Float64Array;
  readonly stepImage: Float64Array;
  readonly scaled: Float64Array;
  /** Indices by rising gradient. */
  readonly order: Int32Array;
}

function createBuffers(most: number): Buffers {
  const make = () => new Float64Array(most);
  return {
    shares: make(),
    root: make(),
    base: make(),
    u: make(),
    image: make(),
    gradient: make(),
    step: make(),
    move: make(),
    stepImage: make(),
    scaled: make(),
    order: new Int32Array(most),
  };
}

/** Takes the indices of least d·x² for m; their sum is the bound of the linearisation at m = 0. */
function begin({ shares, root, base, u, move, order }: Buffers, { row, zeros }: OpenPruning, diagonal: Float64Array) {
  const size = row.length;
  for (let i = 0; i < size; i++) {
    root[i] = Math.sqrt(diagonal[i]!);
    base[i] = diagonal[i]! * row[i]! * row[i]!;
    order[i] = i;
    shares[i] = 0;
    u[i] = 0;
  }
  sortBy(order, base, size);
  let sum = 0;
  for (let k = 0; k < zeros; k++) {
    const i = order[k]!;
    sum += base[i]!;
    shares[i] = 1;
    u[i] = root[i]! * row[i]!;
  }
  move.set(u);
  return sum;
}

/** out = (I - D½G⁻¹D½)·move. */
function apply({ root, move, scaled }: Buffers, { inverse, row }: OpenPruning, out: Float64Array): void {
  const size = row.length;
  for (let i = 0; i < size; i++) scaled[i] = root[i]! * move[i]!;
  for (let i = 0; i < size; i++) {
    const at = i * size;
    let sum = 0;
    for (let j = 0; j < size; j++) sum += inverse[at + j]! * scaled[j]!;
    out[i] = move[i]! - root[i]! * sum;
  }
}

/** f(m) + min ∇f(m)·(m' - m), the gradients left in order. */
function linearized({ base, root, u, image, gradient, order }: Buffers, { row, zeros }: OpenPruning): number {
  const size = row.length;
  let bound = 0;
  for (let i = 0; i < size; i++) {
    gradient[i] = base[i]! + 2 * root[i]! * row[i]! * image[i]!;
    bound -= u[i]! * image[i]!;
  }
  sortBy(order, gradient, size);
  for (let k = 0; k < zeros; k++) bound += gradient[order[k]!]!;
  return bound;
}

/** One exact line search towards the m' of least gradient; false where f falls no further. */
function descend(buffers: Buffers, open: OpenPruning): boolean {
  const { shares, root, u, image, gradient, step, move, stepImage, order } = buffers;
  const { row, zeros } = open;
  const size = row.length;
  let slope = 0;
  for (let k = 0; k < size; k++) {
    const i = order[k]!;
    step[i] = (k < zeros ? 1 : 0) - shares[i]!;
    slope += step[i]! * gradient[i]!;
    move[i] = step[i]! * root[i]! * row[i]!;
  }
  apply(buffers, open, stepImage);
  let curve = 0;
  for (let i = 0; i < size; i++) curve += move[i]! * stepImage[i]!;
  const length = curve > 0 ? Math.min(1, -slope / (2 * curve)) : 1;
  if (!(slope < 0 && length > 1e-12)) return false;
  for (let i = 0; i < size; i++) {
    shares[i]! += length * step[i]!;
    u[i]! += length * move[i]!;
    image[i]! += length * stepImage[i]!;
  }
  return true;
}

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
