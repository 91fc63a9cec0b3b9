import { type AxisRule, type AxisSite, type Graph, intOf, usesOf } from '@espalier/core';

/** Sizes that the graph computes with: an axis whose size is read cannot change, the others can. */
const shape: AxisRule = {
  relate(site) {
    const x = site.inputs[0];
    if (!x) return;
    const rank = x.axes.length;
    const from = bound(intOf(site.node, 'start', 0), rank);
    const to = bound(intOf(site.node, 'end', rank), rank);
    const read = site.readEntries();
    x.axes.slice(from, to).forEach((axis, i) => {
      if (!read || read.has(i)) site.pin(axis, 'its size is read by the graph');
    });
  },
};

const bound = (at: number, rank: number): number => Math.min(Math.max(at < 0 ? at + rank : at, 0), rank);

/** Which entries of a list the graph picks, where each reader picks constant ones; undefined when all may matter. */
export function entriesRead(graph: Graph, value: string): ReadonlySet<number> | undefined {
  const length = graph.values.get(value)?.shape?.[0];
  if (graph.outputs.includes(value) || typeof length !== 'number') return undefined;
  const read = new Set<number>();
  for (const { node, slot } of usesOf(graph, value)) {
    const indices = node.inputs[1] === undefined ? undefined : graph.constants.get(node.inputs[1]);
    if (node.op !== 'Gather' || slot !== 0 || !indices) return undefined;
    for (const each of Array.from(indices.data as ArrayLike<number | bigint>, Number)) {
      read.add(each < 0 ? each + length : each);
    }
  }
  return read;
}

/** Ops that read the size of a value, and those that make a value of any size. */
export const shapeRules = {
  Shape: shape,
  Size: { relate: (site: AxisSite) => site.pinAll('its size is read by the graph') },
  EyeLike: { relate: (site: AxisSite) => site.pinAll('it makes values of a fixed size') },
} as const satisfies Record<string, AxisRule>;
