import {
  createNode,
  floatOf,
  floats,
  type Graph,
  int,
  type Target,
  type Tensor,
  tensorInfo,
  toFloats,
  type ValueId,
} from '@espalier/core';
import type { Unit } from './find-units.js';
import { kernelOf } from './kernel-of.js';
import { staticRules } from './static-rules.js';

/** A convolution in place of a batch normalization, and the constants that it reads. */
export interface Replacement {
  readonly unit: Unit;
  readonly constants: ReadonlyMap<ValueId, Tensor>;
}

/**
 * Batch normalization at inference is a x + b per channel, a = scale / sqrt(variance + epsilon), b = shift - a mean:
 * a depthwise convolution with a 1x1 kernel, which has an integer kernel. One scale per channel makes a exact.
 * Used where no convolution before it could take it up (networks that normalize before they convolve).
 */
export function convolutionFor(
  graph: Graph,
  unit: Unit,
  { target, fresh }: { readonly target: Target; readonly fresh: (wish: string) => string },
): Replacement {
  const { node } = unit;
  const [scale, shift, mean, variance] = node.inputs.slice(1).map((value) => toFloats(graph.constants.get(value!)!));
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const channels = scale!.length;
  const a = new Float32Array(channels);
  const b = new Float32Array(channels);
  for (let i = 0; i < channels; i++) {
    const factor = scale![i]! / Math.sqrt(variance![i]! + epsilon);
    a[i] = factor;
    b[i] = shift![i]! - factor * mean![i]!;
  }
  const ones = tensorInfo(graph, node.inputs[0]!)!
    .shape!.slice(2)
    .map(() => 1);
  const [weight, bias] = [fresh(`${node.id}_weight`), fresh(`${node.id}_bias`)];
  const conv = createNode({
    id: node.id,
    op: 'Conv',
    inputs: [node.inputs[0], weight, bias],
    outputs: [node.outputs[0]],
    attributes: { group: int(channels) },
  });
  return {
    unit: { ...unit, node: conv, rule: staticRules.Conv, kernel: kernelOf(target, conv, staticRules.Conv)! }, // or it would not be rewritten
    constants: new Map([
      [weight, floats(a, [channels, 1, ...ones])],
      [bias, floats(b)],
    ]),
  };
}
