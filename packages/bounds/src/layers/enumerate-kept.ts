import type { PruningProblem } from './pruning-problem.js';

/** The best weights to keep among all choices of so many. */
export interface KeptChoice {
  readonly kept: readonly number[];
  /** Sets looked at, less the last index of each. */
  readonly nodes: number;
}

/** The number of nodes that `enumerateKept` visits: the ways to choose all kept indices but one. */
export function enumerationNodes(size: number, kept: number): number {
  let ways = 1;
  for (let i = 0; i < kept - 1; i++) ways = (ways * (size - i)) / (i + 1);
  return Math.round(ways);
}

/**
 * Looks at every choice of `size - zeros` weights to keep, for few of them: index by index in ascending order, each
 * explains c_j²/R_jj more of the output (forward selection; c = Gw and R = G, both with the chosen ones projected out),
 * and the last index costs one division per candidate. Columns that depend on the chosen ones explain nothing, so
 * any positive semidefinite G will do.
 */
export function enumerateKept({ gram, weight, zeros }: PruningProblem): KeptChoice {
  const size = weight.length;
  const count = size - zeros;
  const residuals = Array.from({ length: Math.max(1, count) }, () => new Float64Array(size * size));
  const targets = Array.from({ length: Math.max(1, count) }, () => new Float64Array(size));
  residuals[0]!.set(gram);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += gram[i * size + j]! * weight[j]!;
    targets[0]![i] = sum;
  }
  // A pivot that is only float noise would explain anything.
  const least = Float64Array.from({ length: size }, (_, i) => 1e-10 * gram[i * size + i]!);
  const chosen = new Int32Array(count);
  let best = -1;
  let kept: readonly number[] = [];
  let nodes = 0;
  const visit = (depth: number, from: number, explained: number) => {
    nodes++;
    const [residual, target] = [residuals[depth]!, targets[depth]!];
    for (let j = from; j <= size - (count - depth); j++) {
      const pivot = residual[j * size + j]!;
      const useful = pivot > least[j]!;
      const total = explained + (useful ? (target[j]! * target[j]!) / pivot : 0);
      chosen[depth] = j;
      if (depth === count - 1) {
        if (total > best) [best, kept] = [total, [...chosen]];
        continue;
      }
      const [nextResidual, nextTarget] = [residuals[depth + 1]!, targets[depth + 1]!];
      for (let i = j + 1; i < size; i++) {
        const share = useful ? residual[j * size + i]! / pivot : 0;
        nextTarget[i] = target[i]! - share * target[j]!;
        for (let k = i; k < size; k++)
          nextResidual[i * size + k] = residual[i * size + k]! - share * residual[j * size + k]!;
      }
      visit(depth + 1, j + 1, total);
    }
  };
  if (count > 0) visit(0, 0, 0);
  return { kept, nodes };
}
