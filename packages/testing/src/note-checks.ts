import { type Graph, type Node, type Note, subgraphsOf } from '@espalier/core';
import { must } from './kit.js';

/** Notes are sentences about nodes and values of the graph that was given. */
export function checkNotes(notes: readonly Note[], graph: Graph, where: string): void {
  const nodes = new Map(nodesIn(graph).map((each) => [each.id, each]));
  for (const { node, op, reason } of notes) {
    must(reason.trim().length > 8, `${where}, notes`, { expected: 'a plain sentence', found: reason });
    if (node === undefined) continue;
    const real = nodes.get(node);
    must(real !== undefined, `${where}, notes`, { expected: 'ids of nodes of the given graph', found: node });
    must(op === undefined || op === real?.op, `${where}, note about ${node}`, { expected: real?.op ?? '', found: op });
  }
}

/** The nodes of a graph and of the bodies of If, Loop and Scan in it. */
const nodesIn = ({ nodes }: Graph): readonly Node[] =>
  nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(nodesIn)]);
