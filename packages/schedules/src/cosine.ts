import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/** v(t) = to + (from - to)(1 + cos πt)/2: slow, fast, slow (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5). */
export const cosine = definePlugin({
  kind: 'schedule',
  id: 'cosine',
  about: 'Along half a cosine: slow, fast, slow.',
  options: rampOptions,
  create: (written) => (step, span) => {
    const { from, to, begin, end } = rampInSteps(written, span, 'cosine');
    return to + ((from - to) * (1 + Math.cos(Math.PI * progress(step, begin, end)))) / 2;
  },
});
