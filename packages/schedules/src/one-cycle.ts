import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';

/**
 * Up along half a cosine from peak/start to `peak` over the first `warm` share, then down to peak/start/finish
 * (Smith & Topin 2019, arXiv 1708.07120, in the cosine form that training libraries use).
 */
export const oneCycle = definePlugin({
  kind: 'schedule',
  id: 'one-cycle',
  about: 'Up to a peak along half a cosine, then down to almost nothing.',
  options: {
    peak: { type: 'number', min: 0, about: 'the largest value' },
    end: { type: 'integer', min: 1, about: 'the last step' },
    warm: { type: 'number', default: 0.3, min: 0, max: 1, about: 'share of the steps spent rising' },
    start: { type: 'number', default: 25, min: 1, about: 'the peak divided by the first value' },
    finish: { type: 'number', default: 10000, min: 1, about: 'the first value divided by the last' },
  },
  create({ peak, end, warm, start, finish }) {
    const top = warm * end;
    const low = peak / start;
    const half = (from: number, to: number, t: number) => to + ((from - to) * (1 + Math.cos(Math.PI * t))) / 2;
    return (step) =>
      step < top ? half(low, peak, progress(step, 0, top)) : half(peak, low / finish, progress(step, top, end));
  },
});
