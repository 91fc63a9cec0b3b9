import { type Graph, indexOf, type Note } from '@espalier/core';
import { must } from './kit.js';

/** Notes are sentences about nodes and values of the graph that was given. */
export function checkNotes(notes: readonly Note[], graph: Graph, where: string): void {
  for (const { node, op, reason } of notes) {
    must(reason.trim().length > 8, `${where}, notes`, { expected: 'a plain sentence', found: reason });
    if (node === undefined) continue;
    const real = indexOf(graph).node.get(node);
    must(real !== undefined, `${where}, notes`, { expected: 'ids of nodes of the given graph', found: node });
    must(op === undefined || op === real?.op, `${where}, note about ${node}`, { expected: real?.op ?? '', found: op });
  }
}
