import { floatOf, type Graph, intOf, intsOf, type Node, textOf, toNumbers } from '@espalier/core';

import { batchNormObstacle } from './batch-norm-obstacle.js';

/**
 * The treatment of an op by static quantization.
 * `anchor`: integer arithmetic pays by itself; its inputs are quantized for it.
 * `join`: has an integer kernel, used where its inputs are quantized anyway.
 * `pass`: moves elements without changing them; output and input share scale and zero point.
 */
export interface StaticRule {
  readonly role: 'anchor' | 'join' | 'pass';
  /** Input slots that carry activations: a list, or every slot. */
  readonly data: readonly number[] | 'all';
  /** Quantized whenever its inputs are; the others also want a quantized reader of their output. */
  readonly eager?: boolean;
  /** The range of the output where the op itself fixes it. */
  readonly fixed?: { readonly min: number; readonly max: number };
  /** Why this very node cannot be quantized; undefined when it can. */
  readonly obstacle?: (node: Node, graph: Graph) => string | undefined;
}

const undilated = (node: Node) =>
  intsOf(node, 'dilations', []).some((each) => each !== 1) ? 'no integer kernel has dilations' : undefined;
const plainResize = (node: Node) =>
  ['nearest', 'linear'].includes(textOf(node, 'mode', 'nearest'))
    ? undefined
    : 'only nearest and linear resizing have an integer kernel';
const oneOutput = (node: Node) =>
  node.outputs.filter((value) => value !== undefined).length > 1 ? 'it also writes indices' : undefined;
const risingGate = (node: Node) => (floatOf(node, 'alpha', 0.2) > 0 ? undefined : 'its slope is not positive');
const zeroPad = (node: Node, graph: Graph) => {
  const fill = node.inputs[2];
  if (fill === undefined || textOf(node, 'mode', 'constant') !== 'constant') return undefined;
  const constant = graph.constants.get(fill);
  return constant && toNumbers(constant).every((each) => each === 0) ? undefined : 'it pads with a value other than 0';
};
const noGemmTransposeA = (node: Node) => (intOf(node, 'transA', 0) !== 0 ? 'its first input is transposed' : undefined);

/** Ops with an integer form in onnxruntime's CPU kernels (its QDQ selectors), and the role each plays. */
export const staticRules = {
  Conv: { role: 'anchor', data: [0] },
  Gemm: { role: 'anchor', data: [0], obstacle: noGemmTransposeA },
  MatMul: { role: 'anchor', data: 'all' },
  Add: { role: 'join', data: 'all', eager: true },
  Mul: { role: 'join', data: 'all' },
  Concat: { role: 'join', data: 'all' },
  Where: { role: 'join', data: [1, 2] },
  AveragePool: { role: 'join', data: [0], eager: true, obstacle: undilated },
  GlobalAveragePool: { role: 'join', data: [0], eager: true },
  LeakyRelu: { role: 'join', data: [0] },
  Sigmoid: { role: 'join', data: [0], fixed: { min: 0, max: 1 } },
  Softmax: { role: 'join', data: [0], fixed: { min: 0, max: 1 } },
  // No kernels of their own: written as Add and Clip, and as those and Mul (see hard-gate.ts).
  HardSigmoid: { role: 'join', data: [0], fixed: { min: 0, max: 1 }, obstacle: risingGate },
  HardSwish: { role: 'join', data: [0] },
  // Written as a depthwise convolution (see batch-norm-unit.ts).
  BatchNormalization: { role: 'join', data: [0], obstacle: batchNormObstacle },
  MaxPool: { role: 'pass', data: [0], obstacle: oneOutput },
  ReduceMax: { role: 'pass', data: [0] },
  ReduceMin: { role: 'pass', data: [0] },
  Reshape: { role: 'pass', data: [0] },
  Flatten: { role: 'pass', data: [0] },
  Transpose: { role: 'pass', data: [0] },
  Squeeze: { role: 'pass', data: [0] },
  Unsqueeze: { role: 'pass', data: [0] },
  Expand: { role: 'pass', data: [0] },
  Tile: { role: 'pass', data: [0] },
  Slice: { role: 'pass', data: [0] },
  Split: { role: 'pass', data: [0] },
  Gather: { role: 'pass', data: [0] },
  GatherElements: { role: 'pass', data: [0] },
  Resize: { role: 'pass', data: [0], obstacle: plainResize },
  // No integer kernel, but sharing the scale keeps what stands around them on integers at no loss.
  Pad: { role: 'pass', data: [0], obstacle: zeroPad },
  DepthToSpace: { role: 'pass', data: [0] },
  SpaceToDepth: { role: 'pass', data: [0] },
} as const satisfies Record<string, StaticRule>;

/** An op that static quantization knows. */
export type StaticOp = keyof typeof staticRules;

/** The rule of an op; undefined for ops that stay float. */
export const staticRuleOf = (op: string): StaticRule | undefined =>
  Object.hasOwn(staticRules, op) ? staticRules[op as StaticOp] : undefined;

/** The input slots of a node that carry activations under its rule. */
export const dataSlots = (node: Node, rule: StaticRule): readonly number[] =>
  rule.data === 'all' ? node.inputs.map((_, slot) => slot) : rule.data;
