import { inverseOf, subMatrix } from '@espalier/ops';
import { nearestCode } from '@espalier/quantizers';
import { independentPart } from './independent-part.js';
import { checkGrid, checkRow, type IntegerProblem } from './integer-problem.js';
import { quadraticForm } from './quadratic-form.js';
import { createBudget, type SearchLimits } from './search-limits.js';

/** The result of the search, and whether it was complete. */
export interface ExactRounding {
  /** Codes of the least error found, [n]. */
  readonly codes: Int32Array;
  /** Their squared error E. */
  readonly error: number;
  /** Whether no other codes have an error below `error`·(1 - gap): false where a limit ended the search. */
  readonly exact: boolean;
  readonly nodes: number;
}

/**
 * The codes of least squared error on the grid, by a depth-first sphere decoder: with G = RᵀR the error is a sum over
 * levels k = n..1 of R_kk²(z_k - c_k)²·step², c_k depending on the codes above; at each level codes are tried outwards
 * from c_k (Schnorr & Euchner 1994) until the partial sum reaches the best error known. Levels are ordered such that
 * the one with the largest R_kk is decided first. Worst case exponential: fit for n up to 30 to 40 and condition
 * numbers up to about 100, elsewhere bounded by `limits`. `start` gives a first solution (nearest rounding unless given).
 * @throws LAYER_NUMBERS, LAYER_GRAM.
 */
export function exactRounding(
  { gram, weight, grid }: IntegerProblem,
  { start, ...limits }: SearchLimits & { readonly start?: Int32Array } = {},
): ExactRounding {
  checkRow(gram, weight);
  checkGrid(grid);
  const size = weight.length;
  const codes = start?.slice() ?? Int32Array.from(weight, (each) => nearestCode(each, grid));
  const errorOf = (z: Int32Array) =>
    quadraticForm(
      gram,
      weight.map((each, i) => grid.step * z[i]! - each),
    );
  const first = errorOf(codes);
  const { kept } = independentPart(gram, size);
  // Dependent inputs have no factor to search with; inputs that are always 0 cost nothing wherever they are.
  const live = Uint32Array.from({ length: size }, (_, i) => i).filter((i) => gram[i * size + i]! > 0);
  if (kept.length < live.length) return { codes, error: first, exact: first === 0, nodes: 0 };
  const order = decisionOrder(gram, size, live);
  const search = createSearch({ gram, weight, grid }, order, { best: first, limits });
  const found = search.run();
  if (found) for (let level = 0; level < order.length; level++) codes[order[level]!] = found[level]!;
  return { codes, error: found ? errorOf(codes) : first, exact: search.complete(), nodes: search.nodes() };
}

// V-BLAST order: of those left, the one known best once the others are free, largest 1/(G⁻¹)_ii, is decided next.
// Position n - 1 is decided first.
function decisionOrder(gram: Float64Array, size: number, live: Uint32Array): Uint32Array {
  const count = live.length;
  const inverse = inverseOf(subMatrix(gram, size, live), count)!; // independentPart kept all of it
  const left = Array.from({ length: count }, (_, i) => i);
  const order = new Uint32Array(count);
  for (let level = count - 1; level >= 0; level--) {
    let best = 0;
    left.forEach((index, at) => {
      if (inverse[index * count + index]! < inverse[left[best]! * count + left[best]!]!) best = at;
    });
    const [chosen] = left.splice(best, 1) as [number]; // best is an index of left
    order[level] = live[chosen]!;
    const own = inverse[chosen * count + chosen]!;
    for (const i of left) {
      const by = inverse[i * count + chosen]! / own;
      for (const j of left) inverse[i * count + j]! -= by * inverse[chosen * count + j]!;
    }
  }
  return order;
}

interface Search {
  /** The best codes below the error it was given, by level, or undefined where there are none. */
  run(): Int32Array | undefined;
  complete(): boolean;
  nodes(): number;
}

function createSearch(
  { gram, weight, grid }: IntegerProblem,
  order: Uint32Array,
  { best: start, limits }: { readonly best: number; readonly limits: SearchLimits },
): Search {
  const size = weight.length;
  const count = order.length;
  const { step, lowest, highest } = grid;
  const upper = upperFactor(gram, size, order);
  const center = Float64Array.from(order, (index) => weight[index]! / step);
  const codes = new Int32Array(count);
  const middle = new Float64Array(count); // c_k given the codes above
  const partial = new Float64Array(count + 1); // error of the levels above and including k, at k
  const low = new Int32Array(count); // next codes to try below and above
  const high = new Int32Array(count);
  const share = 1 - (limits.gap ?? 0);
  const budget = createBudget(limits);
  let found: Int32Array | undefined;
  let best = start / step ** 2;
  const enter = (k: number) => {
    let sum = 0;
    for (let j = k + 1; j < count; j++) sum += upper[k * count + j]! * (codes[j]! - center[j]!);
    const c = center[k]! - sum / upper[k * count + k]!;
    middle[k] = c;
    const from = Math.min(highest, Math.max(lowest, Math.round(c)));
    low[k] = c < from ? from - 1 : from;
    high[k] = low[k]! + 1;
    if (low[k]! < lowest) low[k] = lowest - 1;
  };
  /** Takes the nearest code not yet tried at level k; false where none is left that could improve. */
  const advance = (k: number): boolean => {
    const c = middle[k]!;
    const below = low[k]! >= lowest ? c - low[k]! : Number.POSITIVE_INFINITY;
    const above = high[k]! <= highest ? high[k]! - c : Number.POSITIVE_INFINITY;
    if (below === Number.POSITIVE_INFINITY && above === Number.POSITIVE_INFINITY) return false;
    const code = Math.abs(below) <= Math.abs(above) ? low[k]!-- : high[k]!++;
    const gap = upper[k * count + k]! * (code - c);
    const error = partial[k + 1]! + gap * gap;
    if (error >= best * share) return false; // those further out are worse
    codes[k] = code;
    partial[k] = error;
    return true;
  };
  const run = () => {
    if (count === 0) return undefined;
    let level = count - 1;
    enter(level);
    while (level < count) {
      if (!budget.spend()) break;
      if (!advance(level)) {
        level++;
      } else if (level > 0) {
        level--;
        enter(level);
      } else {
        best = partial[0]!;
        found = codes.slice();
      }
    }
    return found;
  };
  return { run, complete: () => !budget.exhausted(), nodes: () => budget.spent() };
}

// R with RᵀR = G in the order of decision: R is the mirrored lower factor.
function upperFactor(gram: Float64Array, size: number, order: Uint32Array): Float64Array {
  const count = order.length;
  const upper = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const row = i * count;
    for (let j = i; j < count; j++) {
      let sum = gram[order[i]! * size + order[j]!]!;
      for (let k = 0; k < i; k++) sum -= upper[k * count + i]! * upper[k * count + j]!;
      upper[row + j] = j === i ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / upper[row + i]!;
    }
  }
  return upper;
}
