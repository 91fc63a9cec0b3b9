import type { Graph, Node, ValueId } from '@espalier/core';

/** A node to run, and the values that nothing needs after it. */
export interface Step {
  readonly node: Node;
  readonly dying: ReadonlySet<ValueId>;
}

/** The nodes that wanted outputs depend on, in order, with the end of each value's life. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Inputs of the graph that no step reads and nobody fetched; they need no memory. */
  readonly wanted: ReadonlySet<ValueId>;
}

/** Plans a run that computes the wanted values and frees every other one right after its last reader. */
export function planOf(graph: Graph, wanted: readonly ValueId[]): Plan {
  const kept = new Set(wanted);
  const needed = new Set<ValueId>(wanted);
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!; // within the list
    if (!node.outputs.some((value) => value !== undefined && needed.has(value))) continue;
    for (const value of node.inputs) if (value !== undefined) needed.add(value);
    nodes.push(node);
  }
  // From the last node to the first: the first reader met is the last one to run.
  const read = new Set<ValueId>(kept);
  const steps = nodes.map((node): Step => {
    const dying = new Set<ValueId>();
    for (const value of [...node.inputs, ...node.outputs]) {
      if (value === undefined || read.has(value) || graph.constants.has(value)) continue;
      read.add(value);
      dying.add(value);
    }
    return { node, dying };
  });
  return { steps: steps.reverse(), wanted: kept };
}
