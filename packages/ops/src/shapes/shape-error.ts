import { type EspalierError, type Node, problem, type ValueInfo } from '@espalier/core';

/** A contradiction at a node. */
export interface Contradiction {
  readonly expected: string;
  readonly found: string;
  readonly fix?: string;
}

/** The error for inputs of a node that cannot belong together. */
export const shapeError = (
  node: Node,
  inputs: readonly (ValueInfo | undefined)[],
  { expected, found, fix = 'Check the sizes of the inputs and the attributes of this node.' }: Contradiction,
): EspalierError =>
  problem('GRAPH_SHAPE', {
    where: `node "${node.id}" (${node.op})`,
    expected,
    found: `${found}, with inputs ${inputs.map((info, slot) => describe(node, slot, info)).join(', ') || '(none)'}`,
    fix,
    details: { node: node.id, op: node.op, inputs: node.inputs, shapes: inputs.map((info) => info?.shape) },
  });

function describe(node: Node, slot: number, info: ValueInfo | undefined): string {
  const name = node.inputs[slot] === undefined ? '(omitted)' : `"${node.inputs[slot]}"`;
  return info ? `${name} ${info.dtype}${info.shape ? `[${info.shape.join(',')}]` : '[...]'}` : name;
}
