import type { Graph, ValueId } from '@espalier/core';
import { constantUses, decidingUse } from './constant-uses.js';
import type { ParameterRole } from './parameter-slots.js';
import { trainingFormOf } from './training-form.js';

/** A float constant: what training moves it as, or why it stays. */
export type ConstantExplanation =
  | { readonly value: ValueId; readonly role: ParameterRole; readonly reason?: never }
  | { readonly value: ValueId; readonly role?: never; readonly reason: string };

/**
 * Each float constant of a model with its role in training, or with the reason why it is not trained; by the rule that
 * `parametersOf` tells. Constants that are computed from others alone appear as what they are computed to.
 */
export function explainConstants(model: Graph): readonly ConstantExplanation[] {
  const { graph, statistics } = trainingFormOf(model);
  const running = new Set(statistics.flatMap(({ runningMean, runningVariance }) => [runningMean, runningVariance]));
  return [...constantUses(graph)].map(([value, uses]): ConstantExplanation => {
    if (running.has(value)) return { value, reason: 'running statistics, which follow the batches' };
    const answer = decidingUse(uses)?.answer ?? { reason: 'read by no node, or inside a branch or loop alone' };
    return answer.role === undefined ? { value, reason: answer.reason } : { value, role: answer.role };
  });
}
