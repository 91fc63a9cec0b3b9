import { definePlugin, type Graph, type Node, outerReferences, type ValueId } from '@espalier/core';

/** Ops whose outputs from this slot on may be left out, each without changing the others. */
const optionalFrom: ReadonlyMap<string, number> = new Map([
  ['Dropout', 1],
  ['MaxPool', 1],
  ['LayerNormalization', 1],
  ['Unique', 1],
  ['LSTM', 0],
  ['GRU', 0],
  ['RNN', 0],
]);

/**
 * Removes what no graph output depends on: nodes, constants, and the types of values that are no more. Reads inside
 * subgraphs count. Optional outputs that nobody reads become `undefined`, and are cut off at the end of the list.
 * Graph inputs stay, read or not.
 */
export function removeDeadNodes(graph: Graph): Graph {
  const live = new Set<ValueId>(graph.outputs);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((value) => value !== undefined && live.has(value))) continue;
    for (const value of node.inputs) if (value !== undefined) live.add(value);
    for (const value of outerReferences(node)) live.add(value);
    kept.push(withoutUnread(node, live));
  }
  kept.reverse();
  const sameNodes = kept.length === graph.nodes.length && kept.every((node, i) => node === graph.nodes[i]);
  const constants = only(graph.constants, (value) => live.has(value));
  const defined = new Set<ValueId>([...graph.inputs, ...constants.keys(), ...graph.outputs]);
  for (const node of kept) for (const value of node.outputs) if (value !== undefined) defined.add(value);
  const values = only(graph.values, (value) => defined.has(value));
  if (sameNodes && constants === graph.constants && values === graph.values) return graph;
  return { ...graph, nodes: sameNodes ? graph.nodes : kept, constants, values };
}

function withoutUnread(node: Node, live: ReadonlySet<ValueId>): Node {
  const from = optionalFrom.get(node.op);
  if (from === undefined) return node;
  const outputs = node.outputs.map((value, slot) => (slot < from || (value && live.has(value)) ? value : undefined));
  while (outputs.length > 0 && outputs.at(-1) === undefined) outputs.pop();
  const same = outputs.length === node.outputs.length && outputs.every((value, slot) => value === node.outputs[slot]);
  return same ? node : { ...node, outputs };
}

function only<V>(map: ReadonlyMap<ValueId, V>, wanted: (value: ValueId) => boolean): ReadonlyMap<ValueId, V> {
  const entries = [...map].filter(([value]) => wanted(value));
  return entries.length === map.size ? map : new Map(entries);
}

/** Removes dead nodes, constants and types. */
export const removeDeadNodesPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'remove-dead-nodes',
  about: 'Removes nodes and constants that no output depends on.',
  options: {},
  create: () => removeDeadNodes,
});
