import { type Graph, type Note, usesOf } from '@espalier/core';
import type { Cost } from './cost-model.js';
import type { Group } from './group.js';
import type { Removals } from './removal.js';

/** The note about a group that loses nothing. */
export function keptNote(graph: Graph, group: Group, reason: string): Note {
  const { value } = group.slices[0]!; // a group has a slice, what makes it first
  const node = usesOf(graph, value)[0]?.node;
  const details = detailsOf(graph, group);
  return { ...(node ? { node: node.id, op: node.op } : {}), value, outcome: 'kept', reason, details };
}

/** The note about a group that takes part: how many of its units are removed. */
export function removedNote(graph: Graph, group: Group, removals: Removals): Note {
  const before = group.units;
  const removed = removals.get(group.id)?.length ?? 0;
  const weights = new Set(group.slices.map(({ value }) => value)).size;
  const reason = `${removed} of ${before} units removed, from ${weights} constants.`;
  const details = { ...detailsOf(graph, group), before, after: before - removed };
  return { ...keptNote(graph, group, reason), outcome: removed > 0 ? 'pruned' : 'kept', details };
}

/** The units of a group, how many indices of its first weight each has, and the layers that make it: for reports. */
function detailsOf(graph: Graph, { id, units, slices, attention }: Group) {
  const makers = slices.filter(
    ({ value, role }) => role === 'produces' && graph.constants.get(value)!.shape.filter((size) => size > 1).length > 1,
  );
  const layers = new Set(makers.flatMap(({ value }) => usesOf(graph, value).map(({ node }) => node.id)));
  return { group: id, units, each: slices[0]!.each, layers: [...layers], ...(attention ? { attention } : {}) };
}

/** The last note: the shares of the whole graph that are removed. */
export function costNote(before: Cost, after: Cost): Note {
  const share = (kind: keyof Cost) => (before[kind] > 0 ? 1 - after[kind] / before[kind] : 0);
  const text = (kind: keyof Cost) => `${(100 * share(kind)).toFixed(1)} %`;
  return {
    outcome: share('parameters') > 0 ? 'pruned' : 'warning',
    reason:
      share('parameters') > 0
        ? `${text('parameters')} of the parameters and ${text('macs')} of the multiply-adds are gone.`
        : 'Nothing was removed.',
    details: {
      parameters: { before: before.parameters, after: after.parameters },
      macsRemoved: share('macs'),
    },
  };
}
