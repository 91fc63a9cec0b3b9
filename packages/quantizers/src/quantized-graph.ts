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
import { constantBehind } from './constant-behind.js';

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

/** A writer on a subgraph, which has `sight` of what surrounds it. New constants stand in the whole graph, where all subgraphs can read them. */
export function writeBody(body: Graph, sight: Graph, { fresh, constant }: GraphWriter): GraphWriter {
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
      const { kept, read } = wantedNodes(nodes, sight);
      for (const value of replaced) if (!read.has(value)) constants.delete(value);
      return { ...body, nodes: kept, constants, values };
    },
  };
}

/**
 * The nodes without those that nobody reads any more: a DequantizeLinear of ours whose value every reader took in
 * another form would still run, and a Transpose would keep the float weight that it turned.
 */
function wantedNodes(nodes: readonly Node[], graph: Graph) {
  const read = new Set<ValueId>(graph.outputs);
  const kept: Node[] = [];
  for (const node of [...nodes].reverse()) {
    const unread = node.outputs.every((value) => value === undefined || !read.has(value));
    const ours = node.op === 'DequantizeLinear' && !indexOf(graph).node.has(node.id);
    if (unread && (ours || movesConstant(graph, node))) continue;
    for (const value of readBy(node)) read.add(value);
    kept.push(node);
  }
  return { kept: kept.reverse(), read };
}

const movesConstant = (graph: Graph, { outputs }: Node): boolean =>
  outputs.length === 1 && constantBehind(graph, outputs[0]) !== undefined;

const readBy = (node: Node): readonly ValueId[] => [
  ...node.inputs.filter((value) => value !== undefined),
  ...outerReferences(node),
];
