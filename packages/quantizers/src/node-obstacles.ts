import { type Graph, type Node, tensorInfo } from '@espalier/core';

/** Why the activation of a node cannot be multiplied by quantized weights; undefined when it can. */
export function activationObstacle(graph: Graph, node: Node): string | undefined {
  const dtype = tensorInfo(graph, node.inputs[0] ?? '')?.dtype;
  return dtype === undefined || dtype === 'float32' ? undefined : `its input is ${dtype}, not float32`;
}
