import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/** v(t) = from + (to - from) t, with t the progress from `begin` to `end`. */
export const linear = definePlugin({
  kind: 'schedule',
  id: 'linear',
  about: 'At an even pace from one value to another.',
  options: rampOptions,
  create: (written) => (step, span) => {
    const { from, to, begin, end } = rampInSteps(written, span, 'linear');
    return from + (to - from) * progress(step, begin, end);
  },
});
