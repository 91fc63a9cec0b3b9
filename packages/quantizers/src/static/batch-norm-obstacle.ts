import { type Graph, intOf, type Node, tensorInfo } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';

/** Why a batch normalization cannot become a depthwise convolution; undefined when it can. */
export function batchNormObstacle(node: Node, graph: Graph): string | undefined {
  if (intOf(node, 'training_mode', 0) !== 0) return 'it is in training mode';
  const parts = node.inputs.slice(1).map((value) => graph.constants.get(value ?? ''));
  if (parts.length !== 4 || parts.some((part) => part?.dtype !== 'float32' || !isFiniteTensor(part))) {
    return 'its statistics are not finite float32 constants';
  }
  const rank = tensorInfo(graph, node.inputs[0] ?? '')?.shape?.length;
  return rank === undefined || rank < 3 ? 'its input is not known to be an image' : undefined;
}
