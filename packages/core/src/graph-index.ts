import type { Graph, Node, ValueId } from './graph.js';
import { outerReferences } from './subgraphs.js';

/** One place where a value is read: the input slot of a node, or -1 when a subgraph of the node reads it. */
export interface Use {
  readonly node: Node;
  readonly slot: number;
}

/** Who makes and who reads each value. */
export interface GraphIndex {
  readonly producer: ReadonlyMap<ValueId, Node>;
  readonly uses: ReadonlyMap<ValueId, readonly Use[]>;
  readonly node: ReadonlyMap<string, Node>;
}

const known = new WeakMap<Graph, GraphIndex>();

/** The index of a graph; graphs never change, so it is made once per object. */
export function indexOf(graph: Graph): GraphIndex {
  let index = known.get(graph);
  if (!index) {
    index = build(graph);
    known.set(graph, index);
  }
  return index;
}

/** The reads of a value by nodes (outputs of the graph are not reads; see `graph.outputs`). */
export const usesOf = (graph: Graph, value: ValueId): readonly Use[] => indexOf(graph).uses.get(value) ?? [];

function build(graph: Graph): GraphIndex {
  const producer = new Map<ValueId, Node>();
  const uses = new Map<ValueId, Use[]>();
  const node = new Map<string, Node>();
  const note = (value: ValueId, use: Use) => {
    const list = uses.get(value);
    if (list) list.push(use);
    else uses.set(value, [use]);
  };
  for (const each of graph.nodes) {
    node.set(each.id, each);
    for (const output of each.outputs) if (output !== undefined) producer.set(output, each);
    each.inputs.forEach((value, slot) => {
      if (value !== undefined) note(value, { node: each, slot });
    });
    for (const value of outerReferences(each)) note(value, { node: each, slot: -1 });
  }
  return { producer, uses, node };
}
