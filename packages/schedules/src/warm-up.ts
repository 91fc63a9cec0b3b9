import { definePlugin } from '@espalier/core';

/**
 * Rises linearly from 0 over the first `length` steps, then follows another schedule:
 * v(s) = inner(s) · min(1, (s + 1) / length). At step 0 it is inner(0)/length, so that the first update counts.
 */
export const warmUp = definePlugin({
  kind: 'schedule',
  id: 'warm-up',
  about: 'Rises linearly over the first steps, then follows another schedule.',
  options: {
    length: { type: 'integer', min: 1, about: 'how many steps the rise takes' },
    schedule: { type: 'plugin', kind: 'schedule', about: 'the schedule that is followed' },
  },
  create:
    ({ length, schedule }) =>
    (step) =>
      schedule(step) * Math.min(1, (step + 1) / length),
});
