import { definePlugin } from '@espalier/core';
import { progress } from './progress.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

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
    ...rampOptions,
    from: { ...rampOptions.from, about: "the value at the start of each cycle; the driver's first value, or 0" },
    cycles: { type: 'integer', default: 3, min: 1, about: 'how many cycles' },
    rise: { type: 'number', default: 0.75, min: 0, max: 1, about: 'share of a cycle spent rising' },
  },
  create:
    ({ cycles, rise, ...written }) =>
    (step, span) => {
      const { from, to, begin, end } = rampInSteps(written, span, 'cyclical');
      if (step >= end) return to;
      const turns = progress(step, begin, end) * cycles;
      const within = turns - Math.floor(turns);
      const t = rise === 0 ? 1 : Math.min(1, within / rise);
      return to + (from - to) * (1 - t) ** 3;
    },
});
