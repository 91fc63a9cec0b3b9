import { type Graph, type Node, outerReferences, redirectNode, type ValueId } from '@espalier/core';

/** Two graphs with the same inputs as one, so that one run sees both; values of the second have other names. */
export interface BothGraphs {
  readonly graph: Graph;
  /** The name of a value of the second graph. */
  nameOf(value: ValueId): ValueId;
}

/**
 * Puts `second` beside `first`. What both have in common, the same nodes over the same values and constants, stands
 * there once.
 */
export function bothGraphs(first: Graph, second: Graph): BothGraphs {
  const shared = new Set<ValueId>(first.inputs.filter((input) => second.inputs.includes(input)));
  for (const [value, tensor] of second.constants) if (first.constants.get(value) === tensor) shared.add(value);
  const known = new Set<Node>(first.nodes);
  const own: Node[] = [];
  for (const node of second.nodes) {
    const reads = [...node.inputs, ...outerReferences(node)];
    if (known.has(node) && reads.every((value) => value === undefined || shared.has(value))) {
      for (const output of node.outputs) if (output !== undefined) shared.add(output);
    } else own.push(node);
  }
  const taken = new Set([...first.inputs, ...first.constants.keys(), ...first.nodes.flatMap(({ outputs }) => outputs)]);
  let prefix = 'before/';
  while ([...taken].some((value) => value?.startsWith(prefix))) prefix = `_${prefix}`;
  const nameOf = (value: ValueId): ValueId => (shared.has(value) ? value : prefix + value);
  const names = new Map<ValueId, ValueId>();
  const constants = new Map(first.constants);
  const values = new Map(first.values);
  for (const [value, tensor] of second.constants) {
    names.set(value, nameOf(value));
    constants.set(nameOf(value), tensor);
  }
  for (const { outputs } of own) for (const value of outputs) if (value !== undefined) names.set(value, nameOf(value));
  for (const [value, info] of second.values) if (!shared.has(value)) values.set(nameOf(value), info);
  const renamed = own.map((node) => ({
    ...redirectNode(node, names),
    id: prefix + node.id,
    outputs: node.outputs.map((value) => value && nameOf(value)),
  }));
  return { graph: { ...first, nodes: [...first.nodes, ...renamed], constants, values }, nameOf };
}
