import { type Graph, indexOf, type ValueId } from '@espalier/core';
import type { Unit } from '../static/find-units.js';

/** The ids of layers that no other layer stands before, or behind: the first and the last of a network. */
export function layerEnds(graph: Graph, units: ReadonlyMap<string, Unit>): ReadonlySet<string> {
  const isLayer = (id: string) => units.get(id)?.rule.role === 'anchor';
  const ends = new Set<string>();
  const after = new Set<ValueId>();
  for (const node of graph.nodes) {
    const behind = node.inputs.some((value) => value !== undefined && after.has(value));
    if (isLayer(node.id) && !behind) ends.add(node.id);
    if (behind || isLayer(node.id)) for (const value of node.outputs) if (value !== undefined) after.add(value);
  }
  const { uses } = indexOf(graph);
  const before = new Set<string>();
  for (const node of [...graph.nodes].reverse()) {
    const readers = node.outputs.flatMap((value) => (value === undefined ? [] : (uses.get(value) ?? [])));
    const leads = readers.some((use) => before.has(use.node.id));
    if (isLayer(node.id) && !leads) ends.add(node.id);
    if (leads || isLayer(node.id)) before.add(node.id);
  }
  return ends;
}
