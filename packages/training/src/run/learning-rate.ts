import type { Schedule, Span } from '@espalier/core';
import { cosine } from '@espalier/schedules';
import { badRequest } from '../errors.js';
import type { Course, Objective } from '../train-request.js';

/** Where the learning rate begins when nobody says it. */
export const usualLearningRate = 0.01;

/**
 * The learning rate by step. A rate that the optimizer was given must make a difference: where the schedule says all
 * by itself, one of the two would be ignored. @throws TRAINING_REQUEST.
 */
export function learningRateBy(
  { schedule = cosine(), optimizer }: Pick<Course, 'schedule'> & Pick<Objective, 'optimizer'>,
  { steps, epoch }: { readonly steps: number; readonly epoch: number },
): (step: number) => number {
  const { learningRate: given } = optimizer;
  const span: Span & { readonly from: number } = {
    steps: Math.max(1, steps),
    epoch,
    from: given ?? usualLearningRate,
    to: 0,
  };
  if (given !== undefined && !uses(schedule, span)) {
    throw badRequest('learningRate', {
      expected: 'a schedule that begins from it, or none',
      found: `learningRate ${given} beside a schedule that says ${schedule(0, span)} at step 0 whatever it is`,
      fix: 'Write the learning rate in one place: beside the schedule, or as its own first value.',
    });
  }
  return (step) => schedule(step, span);
}

const points = 64;

/** Whether a schedule says something else for another first value, at any of up to 65 steps. */
function uses(schedule: Schedule, span: Span & { readonly from: number }): boolean {
  const other = { ...span, from: span.from === 0 ? 1 : span.from / 2 };
  const count = Math.min(points, span.steps);
  for (let i = 0; i <= count; i++) {
    const step = Math.floor((i * span.steps) / count);
    if (schedule(step, span) !== schedule(step, other)) return true;
  }
  return false;
}
