import { blockedBatchNorm } from './blocked-batch-norm.js';
import { blockedConvolution } from './blocked-convolution.js';
import { blockedElementwise } from './blocked-elementwise.js';
import { blockedFakeQuantize } from './blocked-fake-quantize.js';
import { blockedInputGradient } from './blocked-input-gradient.js';
import { blockedMaxPool } from './blocked-max-pool.js';
import { blockedPlaces } from './blocked-places.js';
import { blockedPooling } from './blocked-pooling.js';
import type { BlockedRule } from './blocked-rule.js';
import { blockedWeightGradient } from './blocked-weight-gradient.js';

const rules = {
  Conv: blockedConvolution,
  'espalier::ConvInputGradient': blockedInputGradient,
  'espalier::ConvWeightGradient': blockedWeightGradient,
  ...blockedBatchNorm,
  ...blockedElementwise,
  ...blockedFakeQuantize,
  ...blockedMaxPool,
  ...blockedPlaces,
  ...blockedPooling,
} as const satisfies Readonly<Record<string, BlockedRule>>;

const byOp: ReadonlyMap<string, BlockedRule> = new Map(Object.entries(rules));

/** The rule of an op, where it has one. */
export const ruleOf = (op: string): BlockedRule | undefined => byOp.get(op);

/** Ops that only training steps have: without them a graph is left to the runtime's own rewriting. */
export const trainingOps: ReadonlySet<string> = new Set([
  'espalier::ConvInputGradient',
  'espalier::ConvWeightGradient',
  'espalier::BatchNormGradient',
]);
