import { definePlugin } from '@espalier/core';
import { missingNumber } from './errors.js';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/**
 * Up along half a cosine from peak/start to `peak` over the first `warm` share, then down to peak/start/finish
 * (Smith & Topin 2019, arXiv 1708.07120, in the cosine form that training libraries use).
 */
export const oneCycle = definePlugin({
  kind: 'schedule',
  id: 'one-cycle',
  about: 'Up to a peak along half a cosine, then down to almost nothing.',
  options: {
    peak: { type: 'number', optional: true, min: 0, about: "the largest value; the driver's first value unless given" },
    end: rampOptions.end,
    unit: rampOptions.unit,
    warm: { type: 'number', default: 0.3, min: 0, max: 1, about: 'share of the steps spent rising' },
    start: { type: 'number', default: 25, min: 1, about: 'the peak divided by the first value' },
    finish: { type: 'number', default: 10000, min: 1, about: 'the first value divided by the last' },
  },
  create({ peak, end: until, unit, warm, start, finish }) {
    const half = (from: number, to: number, t: number) => to + ((from - to) * (1 + Math.cos(Math.PI * t))) / 2;
    return (step, span) => {
      const top = peak ?? span?.from;
      if (top === undefined) throw missingNumber('one-cycle.peak');
      const { end } = rampInSteps({ from: top, to: 0, begin: 0, end: until, unit }, span, 'one-cycle');
      const [turn, low] = [warm * end, top / start];
      return step < turn ? half(low, top, progress(step, 0, turn)) : half(top, low / finish, progress(step, turn, end));
    };
  },
});
