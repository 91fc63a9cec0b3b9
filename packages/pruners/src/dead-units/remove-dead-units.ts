import { definePlugin, type Graph, type PassContext } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { untilStable } from '@espalier/passes';
import { coupled } from '../structured/coupled.js';
import { cut } from '../structured/cut.js';
import { constantUnits } from './constant-units.js';
import { freeUnits } from './free-units.js';

/**
 * Removes units that do nothing, as pruning of single weights leaves them: those whose readers multiply them by zeros
 * only, and those whose weights are all zero, as long as the constants that they then hold (biases, shifts) are zero
 * where they are read or can move into a bias there. What the graph computes stays the same. Ends when nothing is
 * left to remove, since a unit's removal may free another one. The same graph comes back when there was nothing; a
 * unit of each group is kept. Custom ops take part through their axis rules, `axes`.
 */
export function removeDeadUnits(graph: Graph, context: PassContext = {}): Graph {
  return untilStable(once, { name: 'remove-dead-units', limit: graph.nodes.length + 20 })(graph, context);
}

function once(graph: Graph, { axes: rules }: PassContext = {}): Graph {
  const typed = inferShapes(graph);
  const net = coupled(typed, rules ? { rules } : {});
  const free = freeUnits(net);
  const gone = new Set([...free.unread, ...constantUnits(net, free)]);
  const removals = new Map<string, readonly number[]>();
  for (const group of net.groups) {
    const roots = net.roots.get(group)!; // every group has them
    const units = [...roots.keys()].filter((unit) => gone.has(roots[unit]!));
    if (units.length === group.units) units.shift();
    if (units.length > 0) removals.set(group.id, units);
  }
  return removals.size > 0 ? cut(net, removals) : graph;
}

/** Removes units that nothing reads or nothing makes. */
export const removeDeadUnitsPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'remove-dead-units',
  about: 'Removes channels and neurons that only zeros read, or that only zeros make: after pruning of single weights.',
  options: {},
  create: () => removeDeadUnits,
});
