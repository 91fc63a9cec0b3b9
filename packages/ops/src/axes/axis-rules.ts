import type { AxisRule } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { attentionRules } from './rules/attention.js';
import { blockRules } from './rules/blocks.js';
import { convRules } from './rules/conv.js';
import { biasDropout, biasSplitGelu, biasThenUnary, firstCounts, nary, unary, where } from './rules/elementwise.js';
import { extendRules } from './rules/extend.js';
import { fixedRules } from './rules/fixed.js';
import { integerRules } from './rules/integer.js';
import { linearRules } from './rules/linear.js';
import { movementRules } from './rules/movement.js';
import { normRules } from './rules/norm.js';
import { poolRules } from './rules/pool.js';
import { quantizeRules } from './rules/quantize.js';
import { recurrentRules } from './rules/recurrent.js';
import { reduceRules } from './rules/reduce.js';
import { reshapeRules } from './rules/reshape.js';
import { shapeRules } from './rules/shape.js';

/** Nothing that an op without a rule touches is cut: what an index means to it is not known. */
const untouchable: AxisRule = { relate: (site) => site.pinAll('how its axes relate is not known') };

/** The axis rule of each op. An op that is not in the table cannot be cut, and neither can anything tied to it. */
export const axisRules = {
  ...attentionRules,
  ...blockRules,
  ...convRules,
  ...extendRules,
  ...fixedRules,
  ...integerRules,
  ...linearRules,
  ...movementRules,
  ...normRules,
  ...poolRules,
  ...quantizeRules,
  ...recurrentRules,
  ...reduceRules,
  ...reshapeRules,
  ...shapeRules,
  Abs: unary,
  Acos: unary,
  Acosh: unary,
  Add: nary,
  And: nary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  BitShift: firstCounts,
  BitwiseAnd: firstCounts,
  BitwiseNot: unary,
  BitwiseOr: firstCounts,
  BitwiseXor: firstCounts,
  Cast: unary,
  CastLike: unary,
  Ceil: unary,
  Celu: unary,
  Clip: unary,
  Cos: unary,
  Cosh: unary,
  Div: firstCounts,
  Dropout: unary,
  Elu: unary,
  Equal: firstCounts,
  Erf: unary,
  Exp: unary,
  Floor: unary,
  Gelu: unary,
  Greater: firstCounts,
  GreaterOrEqual: firstCounts,
  HardSigmoid: unary,
  HardSwish: unary,
  Identity: unary,
  IsInf: unary,
  IsNaN: unary,
  LeakyRelu: unary,
  Less: firstCounts,
  LessOrEqual: firstCounts,
  Log: unary,
  Max: nary,
  Mean: nary,
  Min: nary,
  Mish: unary,
  Mod: firstCounts,
  Mul: nary,
  Neg: unary,
  Not: unary,
  Or: nary,
  PRelu: firstCounts,
  ParametricSoftplus: unary,
  Pow: firstCounts,
  Reciprocal: unary,
  Relu: unary,
  Round: unary,
  ScaledTanh: unary,
  Selu: unary,
  Shrink: unary,
  Sigmoid: unary,
  Sign: unary,
  Sin: unary,
  Sinh: unary,
  Softplus: unary,
  Softsign: unary,
  Sqrt: unary,
  Sub: nary,
  Sum: nary,
  Swish: unary,
  Tan: unary,
  Tanh: unary,
  ThresholdedRelu: unary,
  Where: where,
  Xor: nary,
  'com.microsoft::BiasAdd': biasThenUnary,
  'com.microsoft::BiasDropout': biasDropout,
  'com.microsoft::BiasGelu': biasThenUnary,
  'com.microsoft::BiasSplitGelu': biasSplitGelu,
  'com.microsoft::FastGelu': biasThenUnary,
  'com.microsoft::Gelu': unary,
  'com.microsoft::QuickGelu': unary,
} as const satisfies Record<OpName, AxisRule>;

/** The rule of an op; the conservative one where the op is not known. */
export const axisRuleOf = (op: string): AxisRule => rulesByName.get(op) ?? untouchable;

const rulesByName: ReadonlyMap<string, AxisRule> = new Map(Object.entries(axisRules));
