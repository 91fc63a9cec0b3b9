import { type Dim, textOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { type ShapeRule, type Site, typeOf } from './site.js';

/** One loss an element under `reduction=none`, one number otherwise. */
const lossShape = (site: Site): readonly Dim[] | undefined =>
  textOf(site.node, 'reduction', 'mean') === 'none' ? site.shape(1) : [];

const likelihood: ShapeRule = (site) => [typeOf(site.dtype(0), lossShape(site))];

/** Training losses of ONNX; the second output of the cross entropy are the log-probabilities. */
export const lossRules = {
  NegativeLogLikelihoodLoss: likelihood,
  SoftmaxCrossEntropyLoss: (site) => [typeOf(site.dtype(0), lossShape(site)), typeOf(site.dtype(0), site.shape(0))],
} as const satisfies Partial<Record<OpName, ShapeRule>>;
