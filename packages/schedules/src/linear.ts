import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';
import { rampOptions } from './ramp-options.js';

/** v(t) = from + (to - from) t, with t the progress from `begin` to `end`. */
export const linear = definePlugin({
  kind: 'schedule',
  id: 'linear',
  about: 'At an even pace from one value to another.',
  options: rampOptions,
  create:
    ({ from, to, begin, end }) =>
    (step) =>
      from + (to - from) * progress(step, begin, end),
});
