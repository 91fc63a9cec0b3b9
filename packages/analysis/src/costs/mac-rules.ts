import { domainOf } from '@espalier/core';
import { attentionMacs } from './attention-macs.js';
import { convMacs } from './conv-macs.js';
import type { MacRule } from './mac-rule.js';
import { matmulMacs } from './matmul-macs.js';
import { recurrentMacs } from './recurrent-macs.js';

const rules = { ...convMacs, ...matmulMacs, ...recurrentMacs, ...attentionMacs } as const satisfies Record<
  string,
  MacRule
>;

/** Ops whose multiply-accumulates are counted. */
export type MacOp = keyof typeof rules;

/** All ops whose multiply-accumulates are counted, in a fixed order. */
export const macOps = /* @__PURE__ */ Object.keys(rules) as readonly MacOp[];

/** The rule of an op; undefined for ops that contract nothing (`Relu`, `Add`) and for ops that are not known. */
export const macRuleOf = (op: string): MacRule | undefined =>
  Object.hasOwn(rules, op) ? rules[op as MacOp] : undefined; // the key was just found

/** Ops outside the standard domain that are known to contract nothing. */
const movers = new Set([
  'com.microsoft::BiasGelu',
  'com.microsoft::BiasSoftmax',
  'com.microsoft::BiasAdd',
  'com.microsoft::BiasSplitGelu',
  'com.microsoft::DequantizeLinear',
  'com.microsoft::EmbedLayerNormalization',
  'com.microsoft::FastGelu',
  'com.microsoft::GatherBlockQuantized',
  'com.microsoft::Gelu',
  'com.microsoft::GroupNorm',
  'com.microsoft::QuickGelu',
  'com.microsoft::QEmbedLayerNormalization',
  'com.microsoft::QLinearAdd',
  'com.microsoft::QLinearAveragePool',
  'com.microsoft::QLinearConcat',
  'com.microsoft::QLinearGlobalAveragePool',
  'com.microsoft::QLinearLeakyRelu',
  'com.microsoft::QLinearMul',
  'com.microsoft::QLinearReduceMean',
  'com.microsoft::QLinearSigmoid',
  'com.microsoft::QLinearSoftmax',
  'com.microsoft::QLinearWhere',
  'com.microsoft::QuantizeLinear',
  'com.microsoft::RotaryEmbedding',
  'com.microsoft::SkipGroupNorm',
  'com.microsoft::SkipLayerNormalization',
  'com.microsoft::SkipSimplifiedLayerNormalization',
  'com.microsoft.nchwc::ReorderInput',
  'com.microsoft.nchwc::ReorderOutput',
]);

/** Whether an op is known to do no multiply-accumulates: standard ops without a rule, and a few others. */
export const contractsNothing = (op: string): boolean =>
  macRuleOf(op) === undefined && (domainOf(op) === '' || movers.has(op));
