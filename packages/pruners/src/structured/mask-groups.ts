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
  const zeroAt = zeroOf(shape, code);
  const write = bytesFor(dtype, 1) === 8 && dtype.includes('int') ? BigInt : Number;
  for (const [axis, indices] of axes) {
    const stride = sizeOf(shape.slice(axis + 1));
    const size = shape[axis]!;
    for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++) {
      for (const index of indices) {
        const start = (outer * size + index) * stride;
        const end = start + stride;
        if (typeof zeroAt === 'number')
          data.fill(write(zeroAt) as never, start, end); // fits the dtype, as the codes do
        else for (let i = start; i < end; i++) data[i] = write(zeroAt(i));
      }
    }
  }
  return { ...source, data } as Tensor; // the same dtype and length
}

/** The code of zero: one number, or that of an element by its place in row-major order. */
function zeroOf(shape: readonly number[], code: ZeroCode | undefined): number | ((element: number) => number) {
  const zeros = code?.zeroPoint ? toNumbers(code.zeroPoint) : [0];
  const along = code?.along;
  if (zeros.length === 1 || along === undefined) return zeros[0]!;
  const size = shape[along]!;
  const stride = sizeOf(shape.slice(along + 1));
  const index = (element: number) => Math.floor(element / stride) % size;
  const { block } = code!; // it has an axis
  if (block === undefined) return (element) => zeros[index(element)]!;
  const blocks = Math.ceil(size / block);
  return (element) => {
    const outer = Math.floor(element / (stride * size));
    return zeros[(outer * blocks + Math.floor(index(element) / block)) * stride + (element % stride)]!;
  };
}
