import { definePlugin, problem } from '@espalier/core';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/**
 * v(t) = from (to/from)^t: the same factor at every step. Both ends must be positive.
 * @throws OPTION_INVALID (when it is asked) where an end is not positive.
 */
export const exponential = definePlugin({
  kind: 'schedule',
  id: 'exponential',
  about: 'By the same factor at every step; both ends positive.',
  options: rampOptions,
  create: (written) => (step, span) => {
    const { from, to, begin, end } = rampInSteps(written, span, 'exponential');
    if (from > 0 && to > 0) return from * (to / from) ** progress(step, begin, end);
    throw problem('OPTION_INVALID', {
      where: 'schedule exponential',
      expected: 'both `from` and `to` above 0',
      found: `${from} and ${to}`,
      fix: 'Write them, or use `linear` or `cosine` to reach 0.',
    });
  },
});
