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
  /** Adds a constant that all subgraphs can read too. */
  constant(wish: string, tensor: Tensor): ValueId;
  /** Adds a constant to this very graph: onnxruntime fuses a DequantizeLinear only with constants of its own graph. */
  ownConstant(wish: string, tensor: Tensor): ValueId;
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
    ownConstant: draft.constant,
    info: draft.setInfo,
    emit: (...more) => void nodes.push(...more),
    emitRedirected: (node, to) => void nodes.push(redirectNode(node, to)),
    finish(replaced, opsets = graph.opsets) {
      const { kept, read } = wantedNodes(nodes, graph);
      for (const value of replaced) if (!read.has(value)) draft.removeConstant(value);
      return { ...draft.finish(), nodes: kept, opsets };
    },
  };
}

/** A writer on a subgraph. New constants stand in the whole graph, where all subgraphs can read them. */
export function writeBody(body: Graph, { fresh, constant }: GraphWriter): GraphWriter {
  const nodes: Node[] = [];
  const values = new Map(body.values);
  const constants = new Map(body.constants);
  return {
    fresh,
    constant,
    ownConstant(wish, tensor) {
      const value = fresh(wish);
      constants.set(value, tensor);
      return value;
    },
    info: (value, info) => void values.set(value, info),
    emit: (...more) => void nodes.push(...more),
    emitRedirected: (node, to) => void nodes.push(redirectNode(node, to)),
    finish(replaced) {
      const { kept, read } = wantedNodes(nodes, body);
      for (const value of replaced) if (!read.has(value)) constants.delete(value);
      return { ...body, nodes: kept, constants, values };
    },
  };
}

/** The nodes without a DequantizeLinear of ours whose value every reader took in another form: it would still run. */
function wantedNodes(nodes: readonly Node[], graph: Graph) {
  const wanted = readValues(nodes, graph.outputs);
  const kept = nodes.filter(
    ({ id, op, outputs: [output] }) =>
      op !== 'DequantizeLinear' || wanted.has(output ?? '') || indexOf(graph).node.has(id),
  );
  return { kept, read: kept.length === nodes.length ? wanted : readValues(kept, graph.outputs) };
}

function readValues(nodes: readonly Node[], outputs: readonly ValueId[]): ReadonlySet<ValueId> {
  const read = new Set<ValueId>(outputs);
  for (const node of nodes) {
    for (const value of node.inputs) if (value !== undefined) read.add(value);
    for (const value of outerReferences(node)) read.add(value);
  }
  return read;
}
