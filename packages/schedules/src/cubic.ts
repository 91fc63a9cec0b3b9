import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/**
 * v(t) = to + (from - to)(1 - t)³: fast at first, then slow (Zhu & Gupta 2017, arXiv 1710.01878, eq. 1).
 * `cubic({ to: 0.8, end: 100 })(50)` is 0.7, and so is `cubic()(50, { steps: 100, from: 0, to: 0.8 })`.
 */
export const cubic = definePlugin({
  kind: 'schedule',
  id: 'cubic',
  about: 'Fast at first, then slow: v(t) = to + (from - to)(1 - t)^3.',
  options: rampOptions,
  create: (written) => (step, span) => {
    const { from, to, begin, end } = rampInSteps(written, span, 'cubic');
    return to + (from - to) * (1 - progress(step, begin, end)) ** 3;
  },
});
