import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';

/**
 * A cubic ramp that starts again `cycles` times between `begin` and `end`, and stays at `to` afterwards, so that
 * weights pruned in one cycle can return in the next (Srinivas et al. 2022, "Cyclical Pruning for Sparse Neural
 * Networks"). A cycle rises over its first `rise` share and then holds.
 */
export const cyclical = definePlugin({
  kind: 'schedule',
  id: 'cyclical',
  about: 'A cubic ramp that starts again several times, then stays.',
  options: {
    from: { type: 'number', default: 0, about: 'the value at the start of each cycle' },
    to: { type: 'number', about: 'the value at the end of each cycle, and afterwards' },
    begin: { type: 'integer', default: 0, min: 0, about: 'the step at which the first cycle begins' },
    end: { type: 'integer', min: 1, about: 'the step at which the last cycle ends' },
    cycles: { type: 'integer', default: 3, min: 1, about: 'how many cycles' },
    rise: { type: 'number', default: 0.75, min: 0, max: 1, about: 'share of a cycle spent rising' },
  },
  create:
    ({ from, to, begin, end, cycles, rise }) =>
    (step) => {
      if (step >= end) return to;
      const turns = progress(step, begin, end) * cycles;
      const within = turns - Math.floor(turns);
      const t = rise === 0 ? 1 : Math.min(1, within / rise);
      return to + (from - to) * (1 - t) ** 3;
    },
});
