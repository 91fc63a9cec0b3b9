import {
  bytesFor,
  editGraph,
  type Graph,
  isPacked,
  sizeOf,
  type Tensor,
  type TypedArray,
  type ValueId,
} from '@espalier/core';
import type { GroupOptions } from './group.js';
import { findGroups } from './groups-of.js';
import { type Removals, remainingAfter } from './removal.js';

/**
 * The same graph with the units of groups (by id) set to zero where weights produce them: rows of weights, biases,
 * scales and shifts of normalisations, added and multiplied constants. What sums over a unit is left, as are
 * divisors, exponents, means, variances and slopes. Each unit then has the same value everywhere, which is zero
 * unless an activation moves zero (a sigmoid, an exponential).
 * @throws PRUNE_GROUP, PRUNE_EMPTY.
 */
export function maskGroups(graph: Graph, removals: Removals, options: GroupOptions = {}): Graph {
  remainingAfter(graph, removals, options); // checks the removals
  const masked = new Map<ValueId, Map<number, Set<number>>>();
  for (const group of findGroups(graph, options).groups) {
    const units = removals.get(group.id) ?? [];
    if (units.length === 0) continue;
    for (const { value, axis, indices, each, role } of group.slices) {
      if (role !== 'produces') continue;
      const axes = entry(masked, value, () => new Map<number, Set<number>>());
      const gone = entry(axes, axis, () => new Set<number>());
      for (const unit of units) for (let i = 0; i < each; i++) gone.add(indices[unit * each + i]!);
    }
  }
  const draft = editGraph(graph);
  for (const [value, axes] of masked) draft.setConstant(value, zeroed(graph.constants.get(value)!, axes)); // slices are of constants
  return draft.finish();
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}

function zeroed(source: Tensor, axes: ReadonlyMap<number, ReadonlySet<number>>): Tensor {
  const { dtype, shape } = source;
  if (dtype === 'string' || isPacked(dtype)) return source; // their groups cannot be pruned
  const data = (source.data as TypedArray).slice() as TypedArray;
  for (const [axis, indices] of axes) {
    const block = sizeOf(shape.slice(axis + 1));
    const size = shape[axis]!;
    const zero = bytesFor(dtype, 1) === 8 && dtype.includes('int') ? 0n : 0;
    for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++) {
      for (const index of indices) {
        const start = (outer * size + index) * block;
        data.fill(zero as never, start, start + block);
      }
    }
  }
  return { ...source, data } as Tensor; // the same dtype and length
}
