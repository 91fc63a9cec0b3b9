import { inverseOf, subMatrix } from '@espalier/ops';
import { enumerateKept, enumerationNodes } from './enumerate-kept.js';
import { greedyPruning } from './greedy-pruning.js';
import { independentPart } from './independent-part.js';
import { openNodes } from './open-nodes.js';
import { type Diagonals, pruningDiagonals } from './pruning-diagonals.js';
import { checkPruning, type PrunedRow, type PruningProblem } from './pruning-problem.js';
import { quadraticForm } from './quadratic-form.js';
import { refitKept } from './refit-kept.js';
import { createRelaxation, type OpenPruning } from './relax-pruning.js';
import { createBudget, type SearchLimits } from './search-limits.js';

/** The best zeros found, and what is certain about all others. */
export interface ExactPruning extends PrunedRow {
  /** No choice of zeros has a smaller error. */
  readonly bound: number;
  /** Whether the error is within the gap of the bound; false where a limit ended the search. */
  readonly exact: boolean;
  readonly nodes: number;
}

/**
 * Cardinality-constrained least squares by branch and bound. With G⁻¹ the inverse of XᵀX, zeroing Z costs
 * w_Zᵀ(G⁻¹_ZZ)⁻¹w_Z, one index at a time x_i²/(G⁻¹)_ii, and never gets cheaper by zeroing more. Children zero the
 * cheapest index left and keep those before it (Furnival & Wilson 1974). A node is cut off where its bound reaches the
 * best known error: the r-th smallest single cost (one of the removed costs that much), or the perspective relaxation
 * (`relax-pruning.ts`). The most promising node goes first, so that a search that hits a limit still ends with a useful
 * bound. n = 36: thousands of nodes at half sparsity; far more for correlated inputs at 75 %, so give limits.
 * Where few weights are kept (5 of 36), all choices are looked at instead. Rank-deficient inputs otherwise: nothing is proven (bound 0) apart from inputs that are always 0, which go first.
 * @throws LAYER_NUMBERS, LAYER_GRAM.
 */
export function exactPruning(problem: PruningProblem, limits: SearchLimits = {}): ExactPruning {
  checkPruning(problem);
  const { gram, weight, zeros } = problem;
  const size = weight.length;
  const live = Uint32Array.from({ length: size }, (_, i) => i).filter((i) => gram[i * size + i]! > 0);
  const greedy = greedyPruning(problem);
  const left = zeros - (size - live.length);
  const start: ExactPruning = { ...greedy, bound: 0, exact: false, nodes: 0 };
  if (left <= 0) return { ...start, bound: Math.min(greedy.error, 0), exact: greedy.error === 0 };
  if (enumerationNodes(live.length, live.length - left) <= cheaper * Math.min(limits.nodes ?? most, most)) {
    return enumerated(problem, { live, greedy, left });
  }
  const inner = subMatrix(gram, size, live);
  const inverse =
    independentPart(inner, live.length).kept.length < live.length ? undefined : inverseOf(inner, live.length);
  if (!inverse) return { ...start, exact: greedy.error === 0 };
  const row = Float64Array.from(live, (i) => weight[i]!);
  const diagonals = pruningDiagonals(inner, { inverse, row, zeros: left });
  const found = search({ inverse, row, zeros: left }, diagonals, { best: greedy.error, limits });
  if (!found.zeroed) return { ...start, ...found.proof };
  const dead = Array.from({ length: size }, (_, i) => i).filter((i) => !(gram[i * size + i]! > 0));
  const refit = refitKept(gram, weight, [...found.zeroed.map((i) => live[i]!), ...dead]);
  return { ...refit, ...found.proof, bound: Math.min(found.proof.bound, refit.error) };
}

/** A set looked at costs a hundredth of a node of the search, so few enough sets are all looked at. */
const cheaper = 64;
const most = 2000;

function enumerated(
  { gram, weight }: PruningProblem,
  { live, greedy, left }: { readonly live: Uint32Array; readonly greedy: PrunedRow; readonly left: number },
): ExactPruning {
  const size = weight.length;
  const inner = { gram: subMatrix(gram, size, live), weight: Float64Array.from(live, (i) => weight[i]!), zeros: left };
  const { kept, nodes } = enumerateKept(inner);
  const chosen = new Set(kept.map((i) => live[i]!));
  const refit = refitKept(
    gram,
    weight,
    Array.from({ length: size }, (_, i) => i).filter((i) => !chosen.has(i)),
  );
  const best = refit.error <= greedy.error ? refit : greedy;
  // What float64 may hide: a share of the error, and of the signal that it is a difference of.
  const slack = 1e-9 * best.error + 1e-13 * quadraticForm(gram, weight);
  return { ...best, bound: Math.max(0, best.error - slack), exact: true, nodes };
}

interface Node extends OpenPruning {
  readonly undecided: Uint16Array;
  readonly error: number;
  readonly bound: number;
  /** The weights that were zeroed on the path to this node. */
  readonly last: Zeroed | undefined;
}

interface Zeroed {
  readonly index: number;
  readonly before: Zeroed | undefined;
}

interface Found {
  readonly zeroed: readonly number[] | undefined;
  readonly proof: Pick<ExactPruning, 'bound' | 'exact' | 'nodes'>;
}

function search(
  root: OpenPruning,
  { diagonal, bound: rootBound }: Diagonals,
  { best: start, limits }: { readonly best: number; readonly limits: SearchLimits },
): Found {
  const size = root.row.length;
  const relaxation = createRelaxation(size);
  const budget = createBudget(limits);
  const share = 1 - (limits.gap ?? 0) - 1e-12;
  const part = new Float64Array(size);
  const open = openNodes<Node>();
  let best = start;
  let zeroed: Zeroed | undefined;
  let cut = Number.POSITIVE_INFINITY; // least bound of what was cut off
  const improve = (error: number, last: Zeroed) => {
    if (!(error < best)) return;
    best = error;
    zeroed = last;
  };
  const undecided = Uint16Array.from({ length: size }, (_, i) => i);
  open.push({ ...root, undecided, error: 0, bound: rootBound, last: undefined });
  for (;;) {
    const least = open.least();
    if (least === undefined || least >= best * share) break;
    const node = open.pop()!; // least() saw it
    if (!branch(node)) {
      open.push(node); // its bound still counts
      break;
    }
  }
  const bound = Math.max(rootBound, Math.min(best, cut, open.least() ?? Number.POSITIVE_INFINITY));
  const list: number[] = [];
  for (let at = zeroed; at; at = at.before) list.push(at.index);
  return {
    zeroed: zeroed && list,
    proof: { bound: Math.min(bound, best), exact: bound >= best * share, nodes: budget.spent() },
  };

  /** Opens the children of a node; false where the budget does not allow it. */
  function branch(node: Node): boolean {
    const { row, inverse, zeros, error, last } = node;
    const count = row.length;
    const costs = row.map((x, i) => (x * x) / inverse[i * count + i]!);
    const order = Array.from({ length: count }, (_, i) => i)
      .filter((i) => error + costs[i]! < best) // dearer ones must be kept
      .sort((a, b) => costs[a]! - costs[b]! || a - b);
    for (let t = 0; t + zeros <= order.length; t++) {
      // Of what this child and all later ones zero, one costs at least as much as the cheapest choice ends with.
      const monotone = error + costs[order[t + zeros - 1]!]!;
      if (monotone >= best * share) {
        cut = Math.min(cut, Math.max(monotone, node.bound));
        break;
      }
      if (!budget.spend()) return false;
      const chosen = order[t]!;
      const zero: Zeroed = { index: node.undecided[chosen]!, before: last };
      const total = error + costs[chosen]!;
      if (zeros === 1) {
        improve(total, zero);
        break;
      }
      const child = zeroOne(node, chosen, order.slice(t + 1));
      if (child.row.length === zeros - 1) {
        const { error: added, last: all } = zeroAll(child, zero);
        improve(total + added, all);
        continue;
      }
      for (let i = 0; i < child.row.length; i++) part[i] = diagonal[child.undecided[i]!]!;
      const enough = best * share - total;
      const own = total + relaxation.bound(child, part, { steps: 6, enough }) * (1 - 1e-10);
      const bound = Math.max(node.bound, own, monotone);
      if (bound >= best * share) cut = Math.min(cut, bound);
      else open.push({ ...child, error: total, bound, last: zero });
    }
    return true;
  }
}

interface Reduced extends OpenPruning {
  readonly undecided: Uint16Array;
}

/** Zeroes one index and goes on with the given others; those left out are kept for good. */
function zeroOne({ row, inverse, undecided, zeros }: Reduced, chosen: number, others: readonly number[]): Reduced {
  const count = row.length;
  const size = others.length;
  const pivot = inverse[chosen * count + chosen]!;
  const [nextRow, next] = [new Float64Array(size), new Float64Array(size * size)];
  for (let a = 0; a < size; a++) {
    const from = others[a]! * count;
    const by = inverse[from + chosen]! / pivot;
    nextRow[a] = row[others[a]!]! - by * row[chosen]!;
    for (let b = 0; b <= a; b++) {
      const value = inverse[from + others[b]!]! - by * inverse[chosen * count + others[b]!]!;
      next[a * size + b] = value;
      next[b * size + a] = value;
    }
  }
  return { row: nextRow, inverse: next, zeros: zeros - 1, undecided: Uint16Array.from(others, (i) => undecided[i]!) };
}

function zeroAll(node: Reduced, last: Zeroed): { readonly error: number; readonly last: Zeroed } {
  let [left, error, path] = [node, 0, last];
  while (left.row.length > 0) {
    error += left.row[0]! ** 2 / left.inverse[0]!;
    path = { index: left.undecided[0]!, before: path };
    left = zeroOne(
      left,
      0,
      Array.from({ length: left.row.length - 1 }, (_, i) => i + 1),
    );
  }
  return { error, last: path };
}
