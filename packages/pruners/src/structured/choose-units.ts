import { badGoal } from '../errors.js';
import type { Cost, CostModel } from './cost-model.js';
import type { Group } from './group.js';
import type { Removals } from './removal.js';
import type { UnitScores } from './score-units.js';
import { unitOptions } from './unit-options.js';

/** The quantity that a sparsity is a share of: the units, or a cost of the whole graph. */
export type Goal = 'units' | keyof Cost;

/** The rules by which `chooseUnits` chooses. */
export interface Choice {
  /** The share that goes, from 0 to 1. */
  readonly sparsity: number;
  /** The quantity of which `sparsity` is a share. Default: `units`. */
  readonly goal?: Goal;
  /**
   * Whether each group loses the same share (`layer`, the default), the units with the lowest scores go (`global`), or
   * those with the lowest scores among groups of the same structure, each structure losing the same share
   * (`isomorphic`).
   */
  readonly scope?: 'layer' | 'global' | 'isomorphic';
  /** With isomorphic scope: equal texts for groups of the same structure, as `kindsOfGroups` gives them. */
  readonly kinds?: ReadonlyMap<Group, string>;
  /** For other scopes than `layer`: what the scores of a group are divided by, to compare groups. Default: `mean`. */
  readonly normalize?: 'none' | 'mean' | 'max' | 'l2';
  /**
   * The remaining width of a group is a multiple of this many indices, where it has as many. Default: 8, as kernels of
   * runtimes compute in blocks of 8 or 16.
   */
  readonly multiple?: number;
  /** The fewest units that are left of a group, or the share of them if it is below 1; one unit at least. */
  readonly minimum?: number;
  /** Shares of their units that some groups lose, apart from the goal. */
  readonly fixed?: ReadonlyMap<Group, number>;
}

/**
 * Chooses the units to remove: those with the lowest scores; of equal ones the first of each group, spread over all groups
 * alike. Shares of parameters, bytes or MACs
 * are met by bisection over the exact cost of the cut graph, which then adjusts one group at a time to come as near as
 * possible.
 * @throws PRUNE_GOAL unless the share is from 0 to 1.
 */
export function chooseUnits(scores: UnitScores, cost: CostModel, choice: Choice): Removals {
  const { goal = 'units', sparsity } = choice;
  if (!(sparsity >= 0 && sparsity <= 1)) throw badGoal('sparsity', sparsity);
  const groups = [...scores.keys()];
  const orders = groups.map((group) => orderOf(scores.get(group)!));
  const levels = levelsOf(groups, scores, choice);
  const countsAt = (level: number): Int32Array => {
    const removed = levels(level);
    return Int32Array.from(groups, (group, i) => {
      const fixed = choice.fixed?.get(group);
      return allowed(group, fixed === undefined ? removed[i]! : Math.round(fixed * group.units), choice);
    });
  };
  const counts =
    goal === 'units'
      ? countsAt(sparsity)
      : meet((each) => cost(new Map(groups.map(({ id }, i) => [id, each[i]!]))), countsAt, { goal, sparsity });
  return new Map(groups.map((group, i) => [group.id, [...orders[i]!.slice(0, counts[i])].sort((a, b) => a - b)]));
}

const orderOf = (scores: Float64Array): Int32Array =>
  Int32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]! || a - b);

/** The number of units of each group that are removed at a level from 0 (none) to 1 (all). */
type Levels = (level: number) => Int32Array;

function levelsOf(groups: readonly Group[], scores: UnitScores, choice: Choice): Levels {
  const { scope = 'layer', kinds, fixed } = choice;
  if (scope === 'layer') return (level) => Int32Array.from(groups, ({ units }) => Math.round(level * units));
  const sorted = groups.map((group) => {
    const own = scores.get(group)!;
    const by = divisor(own, choice.normalize ?? 'mean');
    return own.map((score) => score / by).sort();
  });
  const pools = new Map<string, number[]>();
  groups.forEach((group, i) => {
    if (fixed?.has(group)) return; // groups with a share of their own take no part in the ranking
    const kind = scope === 'isomorphic' ? (kinds?.get(group) ?? '') : '';
    const pool = pools.get(kind) ?? [];
    pools.set(kind, pool);
    pool.push(i);
  });
  const ranked = [...pools.values()].map((pool) => ({ pool, all: ranking(pool.map((i) => sorted[i]!)) }));
  return (level) => {
    const removed = new Int32Array(groups.length);
    for (const { pool, all } of ranked) {
      const count = Math.round(level * all.length);
      if (count > 0) removeLowest(removed, { pool, sorted, limit: all[count - 1]!, ties: tiesOf(all, count) });
    }
    return removed;
  };
}

/** The share of the scores equal to the last of the `count` smallest that are among these. */
function tiesOf(all: Float64Array, count: number): number {
  const limit = all[count - 1]!;
  const first = countBelow(all, limit);
  return (count - first) / (countUpTo(all, limit) - first);
}

/** Counts the scores below a limit, and of those equal to it a share that is spread over all groups alike. */
function removeLowest(
  removed: Int32Array,
  of: {
    readonly pool: readonly number[];
    readonly sorted: readonly Float64Array[];
    readonly limit: number;
    readonly ties: number;
  },
): void {
  let before = 0;
  for (const i of of.pool) {
    const below = countBelow(of.sorted[i]!, of.limit);
    const after = before + (countUpTo(of.sorted[i]!, of.limit) - below);
    removed[i] = below + Math.round(after * of.ties) - Math.round(before * of.ties);
    before = after;
  }
}

/** All scores of a pool, ascending. */
function ranking(pool: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(pool.reduce((sum, own) => sum + own.length, 0));
  let at = 0;
  for (const own of pool) {
    all.set(own, at);
    at += own.length;
  }
  return all.sort();
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

/** The count of ascending numbers that are at most a limit. */
const countUpTo = (numbers: Float64Array, limit: number): number => firstWhere(numbers, (each) => each > limit);

/** The count of ascending numbers that are smaller than a limit. */
const countBelow = (numbers: Float64Array, limit: number): number => firstWhere(numbers, (each) => each >= limit);

/** The first place from which on something holds; it holds nowhere before. */
function firstWhere(numbers: Float64Array, holds: (each: number) => boolean): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The nearest number of units that may go: floors hold, and what is left is rounded up to the multiple. */
function allowed(
  group: Group,
  wanted: number,
  { multiple = unitOptions.multiple.default, minimum = 1 }: Choice,
): number {
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
  { goal, sparsity }: { readonly goal: keyof Cost; readonly sparsity: number },
): Int32Array {
  const whole = cost(countsAt(0).fill(0))[goal];
  const removedBy = (counts: Int32Array) => 1 - cost(counts)[goal] / whole;
  let [low, high] = [0, 1];
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (removedBy(countsAt(middle)) <= sparsity) low = middle;
    else high = middle;
  }
  const best = countsAt(low);
  const above = countsAt(high);
  // Between the two levels groups go one after the other, while that comes nearer.
  for (let i = 0; i < best.length; i++) {
    const before = best[i]!;
    const miss = Math.abs(removedBy(best) - sparsity);
    if (before === above[i]) continue;
    best[i] = above[i]!;
    if (Math.abs(removedBy(best) - sparsity) > miss) best[i] = before;
  }
  return best;
}
