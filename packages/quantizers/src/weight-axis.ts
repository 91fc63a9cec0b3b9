import type { Graph, IntegerKernel, Node } from '@espalier/core';
import { weightIn } from '@espalier/ops';

/** Ops that static quantization has a form for: they multiply activations by a weight in slot 1. */
const weighted = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'] as const;

/** One of them. */
export type WeightedOp = (typeof weighted)[number];

/** Whether an op is one of them. */
export const isWeighted = (op: string): op is WeightedOp => weighted.some((each) => each === op);

/** The axis of a weight in slot 1 along which output channels lie: a quantized weight has one scale per index of it. */
export const outputAxis = (graph: Graph, node: Node): number => weightIn(graph, { node, slot: 1 })?.outputs[0] ?? 0;

/** The axis of a constant weight in slot 1 that a kernel may scale by channel; undefined where one scale serves all. */
export function scaleAxis(graph: Graph, node: Node, { weightScales = 'tensor' }: IntegerKernel): number | undefined {
  const stacked = (graph.constants.get(node.inputs[1] ?? '')?.shape.length ?? 0) > 2;
  const whole = weightScales === 'tensor' || (weightScales === 'matrix-channel' && stacked);
  return whole ? undefined : outputAxis(graph, node);
}
