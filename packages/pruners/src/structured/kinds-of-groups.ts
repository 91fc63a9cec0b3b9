import { type Graph, usesOf } from '@espalier/core';
import type { Group } from './group.js';

/**
 * A text for each group that is equal for groups of the same structure: as many constants in the same roles, on the same
 * axes and with as many indices per unit, read at the same inputs by the same ops. Widths, sizes of kernels and places in
 * the network play no part. Scores of units from groups of one kind can be compared as they are (Fang et al. 2024,
 * isomorphic pruning, arXiv 2407.04616).
 */
export const kindsOfGroups = (graph: Graph, groups: readonly Group[]): ReadonlyMap<Group, string> =>
  new Map(groups.map((group) => [group, kindOf(graph, group)]));

function kindOf(graph: Graph, { slices }: Group): string {
  return slices
    .map(({ value, axis, each, role }) => {
      const readers = usesOf(graph, value).map(({ node, slot }) => `${node.op}.${slot}`);
      const { shape } = graph.constants.get(value)!; // slices are of constants
      return `${role} ${axis}/${shape.length} ${each} ${readers.sort().join('+')}`;
    })
    .sort()
    .join('; ');
}
