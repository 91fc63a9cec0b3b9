import type { AxisSite } from '@espalier/core';
import { addedSums } from '../structured/absorb-constants.js';
import type { CoupledGraph } from '../structured/coupled.js';
import type { Slice } from '../structured/group.js';
import { type Remaining, type Removals, remainingAfter } from '../structured/removal.js';
import { type RemovedConstants, removedConstants } from '../structured/removed-constants.js';
import { type FreeUnits, isPlainLayer, isZero, producersOf } from './free-units.js';

/**
 * Classes of units whose weights are all zero, and whose removal is exact: wherever a layer reads them they hold
 * zeros, or a constant that can move into the bias of that layer. A padded convolution sees no constant at its
 * borders, so units with other constants stay there. Leaving a unit may take away the reason of another one, hence
 * the rounds.
 */
export function constantUnits(net: CoupledGraph, free: FreeUnits): ReadonlySet<number> {
  const chosen = silentUnits(net, free);
  while (chosen.size > 0) {
    const remaining = remainingAfter(net, removalsOf(net, new Set([...chosen, ...free.unread])));
    const constants = removedConstants(remaining);
    const before = chosen.size;
    for (const node of net.graph.nodes) {
      if (!isPlainLayer(net.graph, node, net.relations)) continue;
      const site = net.relations.site(node);
      for (const root of inexact(site, remaining, constants)) chosen.delete(root);
    }
    if (chosen.size === before) break;
  }
  return chosen;
}

function silentUnits({ graph, groups, roots: all }: CoupledGraph, free: FreeUnits): Set<number> {
  const silent = new Set<number>();
  const nonzero = new Map<Slice, Uint8Array>();
  for (const group of groups) {
    const producers = producersOf(graph, group);
    if (producers.length === 0 || producers.some(({ value }) => graph.constants.get(value)!.dtype !== 'float32'))
      continue;
    const roots = all.get(group)!; // every group has them
    // One unit of each group is left: it is the first one that is not silent, or the first of all.
    const units = [...roots.keys()].filter(
      (unit) =>
        free.known.has(roots[unit]!) &&
        !free.unread.has(roots[unit]!) &&
        producers.every((slice) => isZero(graph, slice, { unit, nonzero })),
    );
    const others = group.units - units.length - [...roots].filter((root) => free.unread.has(root)).length;
    for (const unit of others > 0 ? units : units.slice(1)) silent.add(roots[unit]!);
  }
  return silent;
}

function removalsOf(net: CoupledGraph, gone: ReadonlySet<number>): Removals {
  const removals = new Map<string, readonly number[]>();
  for (const group of net.groups) {
    const roots = net.roots.get(group)!; // every group has them
    const units = [...roots.keys()].filter((unit) => gone.has(roots[unit]!));
    if (units.length === group.units) units.shift();
    if (units.length > 0) removals.set(group.id, units);
  }
  return removals;
}

/** Removed classes that a layer sums over although they are not zero there and cannot be moved into its bias. */
function inexact(site: AxisSite, remaining: Remaining, constants: RemovedConstants): readonly number[] {
  const { find } = remaining.net.relations.space;
  const { role } = remaining.net.relations;
  const w = site.inputs.find(
    (port) => port?.constant && port.axes.some((_, axis) => role(port.value, axis) === 'sums'),
  );
  const x = site.inputs.find((port) => port && !port.constant);
  if (!w || !x) return [];
  const summed = w.axes.findIndex((axis, i) => role(w.value, i) === 'sums' && remaining.changed(axis));
  if (summed < 0) return [];
  const gone = new Set<number>();
  const { start, size } = w.axes[summed]!;
  for (let i = 0; i < size; i++) if (remaining.gone(w.axes[summed]!, i)) gone.add(find(start + i));
  const known = constants.get(x.value);
  if (!known) return [...gone];
  const axis = x.axes[known.axis]!;
  const lasting = new Set<number>();
  known.values.forEach((value, i) => {
    const root = find(axis.start + i);
    if (gone.has(root) && value !== 0) lasting.add(root);
  });
  if (lasting.size === 0) return [];
  const finite = [...known.values].every((value, i) => !remaining.gone(axis, i) || Number.isFinite(value));
  return finite && addedSums(site, remaining, constants) ? [] : [...lasting];
}
