import type { Axis, Mark } from '@espalier/core';

const bits: Readonly<Record<Mark, number>> = { products: 1, statistics: 2, inner: 4 };

/**
 * The indices of every axis of every value, as coordinates, in classes of those that must stay or go together.
 * A union-find (Tarjan 1975) with path halving and union by size.
 */
export interface AxisSpace {
  /** The number of coordinates. */
  readonly size: number;
  /** The coordinate that stands for the class of another. */
  find(coordinate: number): number;
  /** The number of coordinates in the class of one. */
  sizeOf(coordinate: number): number;
  join(a: number, b: number): void;
  /** Makes the class of a coordinate untouchable; the first reason stays. */
  pin(coordinate: number, reason: string): void;
  /** Why a class is untouchable; undefined when it is not. */
  reasonOf(coordinate: number): string | undefined;
  mark(axis: Axis, mark: Mark): void;
  marked(coordinate: number, mark: Mark): boolean;
  /** The number of merges and pins so far: equal counts mean that nothing happened. */
  changes(): number;
}

/** A space of `size` coordinates, each in a class of its own. */
export function createAxisSpace(size: number): AxisSpace {
  const parent = Int32Array.from({ length: size }, (_, i) => i);
  const weight = new Int32Array(size).fill(1);
  const pinned = new Uint32Array(size);
  const marks = new Uint8Array(size);
  const reasons = [''];
  const numberOf = new Map<string, number>();
  let changes = 0;
  const find = (coordinate: number): number => {
    let at = coordinate;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  return {
    size,
    find,
    sizeOf: (coordinate) => weight[find(coordinate)]!,
    join(a, b) {
      let [keep, drop] = [find(a), find(b)];
      if (keep === drop) return;
      if (weight[keep]! < weight[drop]!) [keep, drop] = [drop, keep];
      parent[drop] = keep;
      weight[keep]! += weight[drop]!;
      marks[keep]! |= marks[drop]!;
      pinned[keep] ||= pinned[drop]!;
      changes++;
    },
    pin(coordinate, reason) {
      const root = find(coordinate);
      if (pinned[root] !== 0) return;
      let number = numberOf.get(reason);
      if (number === undefined) {
        number = reasons.push(reason) - 1;
        numberOf.set(reason, number);
      }
      pinned[root] = number;
      changes++;
    },
    reasonOf(coordinate) {
      const number = pinned[find(coordinate)]!;
      return number === 0 ? undefined : reasons[number];
    },
    mark(axis, mark) {
      for (let i = 0; i < axis.size; i++) marks[find(axis.start + i)]! |= bits[mark];
    },
    marked: (coordinate, mark) => (marks[find(coordinate)]! & bits[mark]) !== 0,
    changes: () => changes,
  };
}
