import { problem } from './errors.js';
import type { Node, ValueId } from './graph.js';
import { outerReferences } from './subgraphs.js';

/**
 * Nodes in topological order: each stands where it was, after those it depends on, which are pulled forward where
 * they stood later (depth-first, Tarjan 1976). Sorted nodes keep their order.
 * @throws GRAPH_CYCLE naming a node on the cycle.
 */
export function sortNodes(nodes: readonly Node[]): readonly Node[] {
  const maker = new Map<ValueId, number>();
  nodes.forEach((node, i) => {
    for (const output of node.outputs) if (output !== undefined) maker.set(output, i);
  });
  const state = new Uint8Array(nodes.length); // 0 new, 1 open, 2 placed
  const sorted: Node[] = [];
  // An explicit stack: deep chains must not overflow the call stack.
  for (let start = 0; start < nodes.length; start++) {
    const stack = [start];
    while (stack.length > 0) {
      const i = stack.at(-1)!;
      const node = nodes[i]!;
      if (state[i] === 2) {
        stack.pop();
        continue;
      }
      const waiting = [...node.inputs, ...outerReferences(node)]
        .map((value) => (value === undefined ? undefined : maker.get(value)))
        .filter((j): j is number => j !== undefined && state[j] !== 2);
      if (waiting.length === 0) {
        state[i] = 2;
        sorted.push(node);
        stack.pop();
        continue;
      }
      state[i] = 1;
      for (const j of waiting.reverse()) {
        if (state[j] === 1) {
          throw problem('GRAPH_CYCLE', {
            where: `node "${node.id}" (${node.op})`,
            expected: 'an acyclic graph',
            found: `a cycle through node "${nodes[j]!.id}"`,
            fix: 'The model is malformed: no node may depend on its own output.',
          });
        }
        stack.push(j);
      }
    }
  }
  return sorted;
}
