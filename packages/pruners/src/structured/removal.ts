import type { Axis, Kept } from '@espalier/core';
import { badUnit, emptyAxis, unknownGroup, untouchableGroup } from '../errors.js';
import type { CoupledGraph } from './coupled.js';

/** The units to remove from each group, by the group's id. */
export type Removals = ReadonlyMap<string, readonly number[]>;

/** The indices that are left of every axis of a coupled graph once the units are gone. */
export interface Remaining extends Kept {
  readonly net: CoupledGraph;
  /** The classes that go. */
  readonly removed: ReadonlySet<number>;
  /** Whether an index of an axis goes. */
  gone(axis: Axis, index: number): boolean;
  /** Whether an axis loses anything. */
  changed(axis: Axis): boolean;
}

/**
 * Looks up which coordinates go.
 * @throws PRUNE_GROUP for a group that does not exist or cannot be pruned, or units that it does not have;
 * PRUNE_EMPTY when nothing would be left of an axis.
 */
export function remainingAfter(net: CoupledGraph, removals: Removals): Remaining {
  const { space, ports } = net.relations;
  const byId = new Map(net.groups.map((group) => [group.id, group]));
  const gone = new Set<number>();
  for (const [id, units] of removals) {
    const group = byId.get(id);
    if (!group) throw unknownGroup(id, [...byId.keys()]);
    if (units.length > 0 && !group.prunable) throw untouchableGroup(id, group.reason ?? '');
    const roots = net.roots.get(group)!; // every group has them
    for (const unit of units) {
      const root = roots[unit];
      if (root === undefined) throw badUnit(id, { expected: group.units, found: unit });
      gone.add(root);
    }
  }
  const left = new Map<number, readonly number[]>();
  for (const { value, axes } of ports.values()) {
    for (const { start, size } of axes) {
      let indices: number[] | undefined;
      for (let i = 0; i < size; i++) {
        if (gone.has(space.find(start + i))) indices ??= Array.from({ length: i }, (_, before) => before);
        else indices?.push(i);
      }
      if (indices?.length === 0) throw emptyAxis(value);
      if (indices) left.set(start, indices);
    }
  }
  return {
    net,
    removed: gone,
    gone: ({ start }, index) => gone.has(space.find(start + index)),
    changed: ({ start }) => left.has(start),
    count: ({ start, size }) => left.get(start)?.length ?? size,
    before: ({ start }, index) => {
      const indices = left.get(start);
      return indices ? firstFrom(indices, index) : index;
    },
    indices: ({ start, size }) => left.get(start) ?? Array.from({ length: size }, (_, i) => i),
  };
}

/** The count of ascending numbers below a limit. */
function firstFrom(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
