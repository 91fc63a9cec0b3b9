import { type EspalierError, problem } from '@espalier/core';

/** A number of a schedule that neither its options nor its driver say. */
export const missingNumber = (where: string): EspalierError =>
  problem('OPTION_MISSING', {
    where: `schedule ${where}`,
    expected: 'a number',
    found: 'nothing',
    fix: 'Write it, or use the schedule where its driver knows it: schedule(step, { steps, from, to }).',
  });
