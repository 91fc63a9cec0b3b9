import { floatOf, type Graph, type Node, type Range, textOf, toNumbers } from '@espalier/core';
import { batchNormObstacle } from './batch-norm-obstacle.js';

/**
 * The treatment of an op by static quantization.
 * `anchor`: integer arithmetic pays by itself; its inputs are quantized for it.
 * `join`: used on integers where its inputs are quantized anyway.
 * `pass`: moves elements without changing them; output and input share scale and zero point.
 */
export interface StaticRule {
  readonly role: 'anchor' | 'join' | 'pass';
  /** Input slots that carry activations: a list, or every slot. */
  readonly data: readonly number[] | 'all';
  /** The range of the output where the op itself fixes it. */
  readonly fixed?: Range;
  /** Why this very node cannot be quantized on any target; undefined when it can. */
  readonly obstacle?: Obstacle;
  /** The ops that it is written as for targets that have no kernel for it. */
  readonly rewrite?: { readonly into: readonly string[]; readonly obstacle?: Obstacle };
}

type Obstacle = (node: Node, graph: Graph) => string | undefined;

const risingGate = (node: Node) => (floatOf(node, 'alpha', 0.2) > 0 ? undefined : 'its slope is not positive');
const zeroPad: Obstacle = (node, graph) => {
  const fill = node.inputs[2];
  if (fill === undefined || textOf(node, 'mode', 'constant') !== 'constant') return undefined;
  const constant = graph.constants.get(fill);
  return constant && toNumbers(constant).every((each) => each === 0) ? undefined : 'it pads with a value other than 0';
};
const share = { min: 0, max: 1 };

/** The integer form of each op, whatever runs it. */
export const staticRules = {
  Conv: { role: 'anchor', data: [0] },
  Gemm: { role: 'anchor', data: [0] },
  MatMul: { role: 'anchor', data: 'all' },
  Add: { role: 'join', data: 'all' },
  Mul: { role: 'join', data: 'all' },
  Concat: { role: 'join', data: 'all' },
  Where: { role: 'join', data: [1, 2] },
  AveragePool: { role: 'join', data: [0] },
  GlobalAveragePool: { role: 'join', data: [0] },
  LeakyRelu: { role: 'join', data: [0] },
  Sigmoid: { role: 'join', data: [0], fixed: share },
  Softmax: { role: 'join', data: [0], fixed: share },
  HardSigmoid: {
    role: 'join',
    data: [0],
    fixed: share,
    rewrite: { into: ['Add', 'Clip'], obstacle: risingGate }, // see hard-gate.ts
  },
  HardSwish: { role: 'join', data: [0], rewrite: { into: ['Add', 'Clip', 'Mul'] } },
  // A depthwise convolution (see batch-norm-unit.ts).
  BatchNormalization: { role: 'join', data: [0], rewrite: { into: ['Conv'], obstacle: batchNormObstacle } },
  MaxPool: { role: 'pass', data: [0] },
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
  Resize: { role: 'pass', data: [0] },
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
