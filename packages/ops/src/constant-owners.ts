import type { Graph, Node, ValueId } from '@espalier/core';
import { indexOf, outerReferences } from '@espalier/core';

/** The values that depend on constants alone, and the node that each constant belongs to. */
export interface ConstantOwners {
  /** Values that do not depend on the inputs: constants, and what nodes make of constants only. */
  readonly fixed: ReadonlySet<ValueId>;
  /** The first node that reads a constant together with activations, also through DequantizeLinear, Transpose, … */
  readonly owner: ReadonlyMap<ValueId, Node>;
}

/** Finds the layer that each constant belongs to, so that every byte is counted once, where it is used. */
export function constantOwners(graph: Graph): ConstantOwners {
  const { producer } = indexOf(graph);
  const fixed = new Set<ValueId>(graph.constants.keys());
  const owner = new Map<ValueId, Node>();
  const claim = (value: ValueId, node: Node) => {
    const open = [value];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      if (!fixed.has(each) || owner.has(each)) continue;
      owner.set(each, node);
      for (const input of producer.get(each)?.inputs ?? []) if (input !== undefined) open.push(input);
    }
  };
  const loose: Node[] = [];
  for (const node of graph.nodes) {
    const outer = outerReferences(node);
    const inputs = node.inputs.filter((value) => value !== undefined);
    if (outer.size === 0 && !node.op.startsWith('Random') && inputs.every((value) => fixed.has(value))) {
      for (const output of node.outputs) if (output !== undefined) fixed.add(output);
      loose.push(node);
      continue;
    }
    for (const value of inputs) claim(value, node);
    for (const value of outer) claim(value, node);
  }
  // What no activation ever meets (a constant output) stays with the last node of its chain.
  for (const node of loose.reverse()) for (const value of node.inputs) if (value !== undefined) claim(value, node);
  return { fixed, owner };
}
