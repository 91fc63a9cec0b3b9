import { definePlugin } from '@espalier/core';
import { unitOption } from './in-steps.js';
import { rampInSteps } from './ramp-in-steps.js';
import { rampOptions } from './ramp-options.js';

/** One value before a step, another from it on. `oneShot({ to: 0.5, at: 10 })(9)` is 0, at 10 it is 0.5. */
export const oneShot = definePlugin({
  kind: 'schedule',
  id: 'one-shot',
  about: 'One value before a step, another from it on.',
  options: {
    from: { ...rampOptions.from, about: "the value before `at`; the driver's first value, or 0" },
    to: { ...rampOptions.to, about: "the value from `at` on; the driver's last value unless given" },
    at: { type: 'number', default: 0, min: 0, about: 'where it jumps' },
    unit: unitOption,
  },
  create:
    ({ at, ...written }) =>
    (step, span) => {
      const { from, to, end } = rampInSteps({ ...written, begin: 0, end: at }, span, 'one-shot');
      return step >= end ? to : from;
    },
});
