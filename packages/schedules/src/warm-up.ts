import { definePlugin } from '@espalier/core';
import { inSteps, unitOption } from './in-steps.js';

/**
 * Rises linearly from 0 over the first `length` steps, then follows another schedule:
 * v(s) = inner(s) · min(1, (s + 1) / length). At step 0 it is inner(0)/length, so that the first update counts.
 */
export const warmUp = definePlugin({
  kind: 'schedule',
  id: 'warm-up',
  about: 'Rises linearly over the first steps, then follows another schedule.',
  options: {
    length: { type: 'number', min: 0, about: 'how long the rise takes' },
    unit: unitOption,
    schedule: { type: 'plugin', kind: 'schedule', default: 'cosine', about: 'the schedule that is followed' },
  },
  create:
    ({ length, unit, schedule }) =>
    (step, span) => {
      const rise = Math.max(1, inSteps(length, { unit, span, id: 'warm-up' }));
      return schedule(step, span) * Math.min(1, (step + 1) / rise);
    },
});
