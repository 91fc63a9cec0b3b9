import {
  bytesFor,
  editGraph,
  floats,
  fromNumbers,
  type Graph,
  isPacked,
  sizeOf,
  type Tensor,
  type TypedArray,
  toNumbers,
  type ValueId,
  type ZeroCode,
} from '@espalier/core';
import type { CoupledGraph } from './coupled.js';
import { type Removals, remainingAfter } from './removal.js';

/**
 * The same graph with the units of groups (by id) set to zero where weights produce them: rows of weights, biases,
 * scales and shifts of normalisations, added and multiplied constants. What sums over a unit is left, as are
 * divisors, exponents, means, variances and slopes. Each unit then has the same value everywhere, which is zero
 * unless an activation moves zero (a sigmoid, an exponential).
 * @throws PRUNE_GROUP, PRUNE_EMPTY.
 */
export function maskGroups(net: CoupledGraph, removals: Removals): Graph {
  remainingAfter(net, removals); // checks the removals
  const masked = new Map<ValueId, Map<number, Set<number>>>();
  const { graph, groups, relations } = net;
  for (const group of groups) {
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
  for (const [value, axes] of masked) {
    draft.setConstant(value, zeroed(graph.constants.get(value)!, axes, relations.codeOf(value))); // slices are of constants
  }
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

/** The elements at some indices of some axes become zero, or the code of zero. */
function zeroed(source: Tensor, axes: ReadonlyMap<number, ReadonlySet<number>>, code: ZeroCode | undefined): Tensor {
  const { dtype, shape } = source;
  if (isPacked(dtype)) {
    const wide = zeroed(floats(toNumbers(source), shape), axes, code);
    return fromNumbers(dtype, shape, toNumbers(wide));
  }
  if (dtype === 'string') return source; // no group holds texts
  const data = (source.data as TypedArray).slice() as TypedArray;
  const zeros = code?.zeroPoint ? toNumbers(code.zeroPoint) : [0];
  const along = zeros.length === 1 ? undefined : code?.along;
  const write = bytesFor(dtype, 1) === 8 && dtype.includes('int') ? BigInt : Number;
  for (const [axis, indices] of axes) {
    const [strideHere, strideAlong] = [axis, along ?? axis].map((each) => sizeOf(shape.slice(each + 1)));
    const size = shape[axis]!;
    for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++) {
      for (const index of indices) {
        const start = (outer * size + index) * strideHere!;
        const end = start + strideHere!;
        if (along === undefined)
          data.fill(write(zeros[0]!) as never, start, end); // fits the dtype, as the codes do
        else for (let i = start; i < end; i++) data[i] = write(zeros[Math.floor(i / strideAlong!) % shape[along]!]!);
      }
    }
  }
  return { ...source, data } as Tensor; // the same dtype and length
}
