import { badGoal } from '../errors.js';
import type { Cost, CostModel } from './cost-model.js';
import type { Group } from './group.js';
import type { Removals } from './removal.js';
import type { UnitScores } from './score-units.js';

/** How much is to go, as shares of what is there: of the units, or of what the whole graph costs. */
export type Goal =
  | { readonly ratio: number }
  | { readonly parameters: number }
  | { readonly bytes: number }
  | { readonly macs: number };

/** What `chooseUnits` is told. */
export interface Choice {
  readonly goal: Goal;
  /** Whether each group loses the same share (`local`, the default) or the units with the lowest scores go (`global`). */
  readonly scope?: 'local' | 'global';
  /** With global scope: how scores of different groups are made comparable; divided by their group's mean by default. */
  readonly normalize?: 'none' | 'mean' | 'max' | 'l2';
  /** What is left of a group is a multiple of this many indices, where it has as many: 8 or 16 suit most runtimes. */
  readonly multiple?: number;
  /** The fewest units that are left of a group, or the share of them if it is below 1; one unit at least. */
  readonly minimum?: number;
  /** Shares of their units that some groups lose, apart from the goal. */
  readonly fixed?: ReadonlyMap<Group, number>;
}

/**
 * Chooses the units to remove: those with the lowest scores, equal ones in order. Shares of parameters, bytes or MACs
 * are met by bisection over the exact cost of the cut graph, then group by group, so that the next choice on either
 * side is further off.
 * @throws PRUNE_GOAL unless the share is from 0 to 1.
 */
export function chooseUnits(scores: UnitScores, cost: CostModel, choice: Choice): Removals {
  const { goal } = choice;
  const [kind, share] = Object.entries(goal)[0] as [keyof Cost | 'ratio', number]; // a goal has one entry
  if (!(share >= 0 && share <= 1)) throw badGoal(kind, share);
  const groups = [...scores.keys()];
  const orders = groups.map((group) => orderOf(scores.get(group)!));
  const levels = levelsOf(groups, scores, choice);
  const countsAt = (level: number): Int32Array =>
    Int32Array.from(groups, (group, i) => {
      const fixed = choice.fixed?.get(group);
      const wanted = fixed === undefined ? levels.removed(i, level) : Math.round(fixed * group.units);
      return allowed(group, wanted, choice);
    });
  const counts =
    kind === 'ratio'
      ? countsAt(share)
      : meet((each) => cost(new Map(groups.map(({ id }, i) => [id, each[i]!]))), countsAt, { kind, share });
  return new Map(groups.map((group, i) => [group.id, [...orders[i]!.slice(0, counts[i])].sort((a, b) => a - b)]));
}

const orderOf = (scores: Float64Array): Int32Array =>
  Int32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]! || a - b);

/** How many units of each group go at a level from 0 (none) to 1 (all). */
interface Levels {
  removed(group: number, level: number): number;
}

function levelsOf(groups: readonly Group[], scores: UnitScores, choice: Choice): Levels {
  if (choice.scope !== 'global') return { removed: (group, level) => Math.round(level * groups[group]!.units) };
  const sorted = groups.map((group) => {
    const own = scores.get(group)!;
    const by = divisor(own, choice.normalize ?? 'mean');
    return own.map((score) => score / by).sort();
  });
  // Groups with a share of their own take no part in the ranking.
  const pooled = sorted.filter((_, i) => !choice.fixed?.has(groups[i]!));
  const all = new Float64Array(pooled.reduce((sum, own) => sum + own.length, 0));
  let at = 0;
  for (const own of pooled) {
    all.set(own, at);
    at += own.length;
  }
  all.sort();
  return {
    removed(group, level) {
      const count = Math.round(level * all.length);
      if (count === 0) return 0;
      return below(sorted[group]!, all[count - 1]!);
    },
  };
}

function divisor(scores: Float64Array, normalize: NonNullable<Choice['normalize']>): number {
  if (normalize === 'none') return 1;
  let value = 0;
  for (const score of scores) {
    value = normalize === 'max' ? Math.max(value, score) : value + (normalize === 'l2' ? score * score : score);
  }
  if (normalize === 'mean') value /= scores.length;
  if (normalize === 'l2') value = Math.sqrt(value);
  return value > 0 ? value : 1;
}

/** How many ascending numbers are at most `limit`. */
function below(numbers: Float64Array, limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The nearest number of units that may go: floors hold, and what is left is rounded up to the multiple. */
function allowed(group: Group, wanted: number, { multiple = 1, minimum = 1 }: Choice): number {
  const { units } = group;
  const least = Math.max(1, minimum < 1 ? Math.ceil(minimum * units) : minimum);
  let left = Math.min(units, Math.max(least, units - wanted));
  const step = multiple / common(multiple, eachOf(group));
  if (step > 1 && units >= step) left = Math.min(units, Math.ceil(left / step) * step);
  return units - left;
}

/** Indices per unit of the axis that makes the units. */
const eachOf = ({ slices }: Group): number => slices[0]?.each ?? 1;

const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));

function meet(
  cost: (counts: Int32Array) => Cost,
  countsAt: (level: number) => Int32Array,
  { kind, share }: { readonly kind: keyof Cost; readonly share: number },
): Int32Array {
  const whole = cost(countsAt(0).fill(0))[kind];
  const removedBy = (counts: Int32Array) => 1 - cost(counts)[kind] / whole;
  let [low, high] = [0, 1];
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (removedBy(countsAt(middle)) <= share) low = middle;
    else high = middle;
  }
  const best = countsAt(low);
  const above = countsAt(high);
  // Between the two levels groups go one after the other, while that comes nearer.
  for (let i = 0; i < best.length; i++) {
    const before = best[i]!;
    const miss = Math.abs(removedBy(best) - share);
    if (before === above[i]) continue;
    best[i] = above[i]!;
    if (Math.abs(removedBy(best) - share) > miss) best[i] = before;
  }
  return best;
}
