import { type Graph, type Node, type Note, tensorInfo } from '@espalier/core';

/** The outcome of one node. `reason` may be a clause without a full stop. */
export type Verdict = Pick<Note, 'outcome' | 'reason' | 'details'>;

/**
 * One note for every node that works on floats, in graph order. Nodes that work on shapes, indices and truth values
 * have none: there is nothing to quantize in them.
 */
export const noteNodes = (graph: Graph, judge: (node: Node) => Verdict): readonly Note[] =>
  graph.nodes
    .filter((node) => worksOnFloats(graph, node))
    .map((node) => {
      const { reason, ...verdict } = judge(node);
      return { node: node.id, op: node.op, ...verdict, reason: sentence(reason) };
    });

/** Whether a node writes float tensors, as far as is known. */
export function worksOnFloats(graph: Graph, node: Node): boolean {
  if (node.op === 'Constant' || node.op === 'Shape' || node.op === 'Size') return false;
  if (node.op === 'QuantizeLinear') return true;
  const written = node.outputs.map((value) => (value === undefined ? undefined : tensorInfo(graph, value)?.dtype));
  return written.some((dtype) => dtype?.includes('float')) || written.every((dtype) => dtype === undefined);
}

const sentence = (reason: string): string => {
  const start = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`;
  return start.endsWith('.') ? start : `${start}.`;
};
