import {
  editGraph,
  type Graph,
  indexOf,
  type Node,
  outerReferences,
  redirectNode,
  type Tensor,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';

/**
 * The pieces of a graph under rewriting: nodes are written in order, each with what must stand before it; constants
 * and types are added; constants that nobody reads any more fall away at the end.
 */
export interface GraphWriter {
  /** A name near the wish that is free. */
  fresh(wish: string): string;
  constant(wish: string, tensor: Tensor): ValueId;
  info(value: ValueId, info: ValueInfo): void;
  emit(...nodes: readonly Node[]): void;
  /** Emits a node that reads other values in some places. */
  emitRedirected(node: Node, to: ReadonlyMap<ValueId, ValueId>): void;
  /** The written graph; `replaced` constants are dropped where no node reads them. */
  finish(replaced: ReadonlySet<ValueId>, opsets?: ReadonlyMap<string, number>): Graph;
}

/** Opens a writer on a graph whose nodes will all be rewritten. */
export function writeGraph(graph: Graph): GraphWriter {
  const draft = editGraph(graph);
  const nodes: Node[] = [];
  return {
    fresh: draft.fresh,
    constant: draft.constant,
    info: draft.setInfo,
    emit: (...more) => void nodes.push(...more),
    emitRedirected: (node, to) => void nodes.push(redirectNode(node, to)),
    finish(replaced, opsets = graph.opsets) {
      // A DequantizeLinear of ours whose value every reader takes in another form would still run.
      const wanted = readValues(nodes, graph.outputs);
      const kept = nodes.filter(
        ({ id, op, outputs: [output] }) =>
          op !== 'DequantizeLinear' || wanted.has(output ?? '') || indexOf(graph).node.has(id),
      );
      const read = kept.length === nodes.length ? wanted : readValues(kept, graph.outputs);
      for (const value of replaced) if (!read.has(value)) draft.removeConstant(value);
      return { ...draft.finish(), nodes: kept, opsets };
    },
  };
}

function readValues(nodes: readonly Node[], outputs: readonly ValueId[]): ReadonlySet<ValueId> {
  const read = new Set<ValueId>(outputs);
  for (const node of nodes) {
    for (const value of node.inputs) if (value !== undefined) read.add(value);
    for (const value of outerReferences(node)) read.add(value);
  }
  return read;
}
