import { definePlugin, problem } from '@espalier/core';
import { progress } from './progress.js';
import { rampOptions } from './ramp-options.js';

/**
 * v(t) = from (to/from)^t: the same factor at every step. Both ends must be positive.
 * @throws OPTION_INVALID when an end is not positive.
 */
export const exponential = definePlugin({
  kind: 'schedule',
  id: 'exponential',
  about: 'By the same factor at every step; both ends positive.',
  options: { ...rampOptions, from: { type: 'number', default: 1, about: 'the value up to `begin`, above 0' } },
  create({ from, to, begin, end }) {
    if (!(from > 0 && to > 0)) {
      throw problem('OPTION_INVALID', {
        where: 'schedule exponential',
        expected: 'both `from` and `to` above 0',
        found: `${from} and ${to}`,
        fix: 'Use `linear` or `cosine` to reach 0.',
      });
    }
    return (step) => from * (to / from) ** progress(step, begin, end);
  },
});
