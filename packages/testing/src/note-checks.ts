import { type Graph, type Node, type Note, subgraphsOf } from '@espalier/core';
import { must } from './kit.js';

/** Notes are sentences about nodes of the graphs: the one that was given, or the one that it became. */
export function checkNotes(notes: readonly Note[], graphs: readonly Graph[], where: string): void {
  const known = graphs.flatMap(nodesWithin);
  for (const { node, op, reason } of notes) {
    must(reason.trim().length > 8, `${where}, notes`, { expected: 'a plain sentence', found: reason });
    if (node === undefined) continue;
    const ops = known.filter(({ id }) => id === node).map((each) => each.op);
    must(ops.length > 0, `${where}, notes`, { expected: 'ids of nodes of the given graph', found: node });
    must(op === undefined || ops.includes(op), `${where}, note about ${node}`, {
      expected: ops.join(' or '),
      found: op,
    });
  }
}

/** The nodes of a graph and of the graphs within its nodes. */
const nodesWithin = (graph: Graph): readonly Node[] =>
  graph.nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(nodesWithin)]);
