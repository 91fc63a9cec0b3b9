import {
  createNode,
  type Graph,
  type Node,
  redirectNode,
  type Tensor,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';

/** The replacement of an If whose condition is known. */
export interface Inlined {
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  readonly values: ReadonlyMap<ValueId, ValueInfo>;
}

/**
 * The branch of an If as nodes of the graph around it. Names inside the branch become new ones (both branches may
 * use the same), the branch's outputs take the names of the If's outputs.
 */
export function inlineBranch(node: Node, branch: Graph, fresh: (wish: string) => string): Inlined {
  const made = new Set<ValueId>(branch.nodes.flatMap((each) => each.outputs.filter((value) => value !== undefined)));
  const name = new Map<ValueId, ValueId>();
  const copies: Node[] = [];
  node.outputs.forEach((output, i) => {
    const inner = branch.outputs[i];
    if (output === undefined || inner === undefined) return;
    if (made.has(inner) && !name.has(inner)) name.set(inner, output);
    else
      copies.push(
        createNode({ id: fresh(`${node.id}_${output}`), op: 'Identity', inputs: [inner], outputs: [output] }),
      );
  });
  for (const value of [...made, ...branch.constants.keys()]) if (!name.has(value)) name.set(value, fresh(value));
  const renamed = (value: ValueId) => name.get(value) ?? value;
  const own = <T>(map: ReadonlyMap<ValueId, T>) =>
    new Map([...map].filter(([value]) => name.has(value)).map(([value, each]) => [renamed(value), each]));
  return {
    nodes: [...branch.nodes, ...copies].map((each) => ({
      ...redirectNode(each, name),
      id: fresh(each.id),
      outputs: each.outputs.map((value) => (value === undefined ? value : renamed(value))),
    })),
    constants: own(branch.constants),
    values: own(branch.values),
  };
}
