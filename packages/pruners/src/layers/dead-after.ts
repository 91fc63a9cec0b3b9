import { type Graph, indexOf, type Node, outerReferences, usesOf, type ValueId } from '@espalier/core';

/** An input of a node that is to be read no more. */
export interface Read {
  readonly node: Node;
  readonly slot: number;
}

/** The nodes and constants without readers. */
export interface Dead {
  readonly nodes: ReadonlySet<Node>;
  readonly constants: ReadonlySet<ValueId>;
}

/** The part of a graph that loses its readers if some inputs are no longer read. Takes time in proportion to that part. */
export function deadAfter(graph: Graph, reads: readonly Read[]): Dead {
  const { producer } = indexOf(graph);
  const outputs = new Set(graph.outputs);
  const left = new Map<ValueId, number>();
  const nodes = new Set<Node>();
  const constants = new Set<ValueId>();
  const waiting: ValueId[] = [];
  const unread = (value: ValueId) => {
    const count = (left.get(value) ?? usesOf(graph, value).length) - 1;
    left.set(value, count);
    if (count === 0 && !outputs.has(value)) waiting.push(value);
  };
  const isUnread = (value: ValueId) => !outputs.has(value) && (left.get(value) ?? usesOf(graph, value).length) === 0;
  const dropped = new Map<Node, Set<number>>();
  for (const { node, slot } of reads) {
    const slots = dropped.get(node) ?? new Set();
    dropped.set(node, slots.add(slot));
    unread(node.inputs[slot]!); // reads are of values
  }
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (graph.constants.has(value)) constants.add(value);
    const node = producer.get(value);
    if (!node || nodes.has(node)) continue;
    if (!node.outputs.every((each) => each === undefined || isUnread(each))) continue;
    nodes.add(node);
    const already = dropped.get(node);
    node.inputs.forEach((input, slot) => {
      if (input !== undefined && !already?.has(slot)) unread(input);
    });
    for (const input of outerReferences(node)) unread(input);
  }
  return { nodes, constants };
}
