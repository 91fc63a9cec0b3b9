import { definePlugin } from '@espalier/core';

/** One value before a step, another from it on. `oneShot({ to: 0.5, at: 10 })(9)` is 0, at 10 it is 0.5. */
export const oneShot = definePlugin({
  kind: 'schedule',
  id: 'one-shot',
  about: 'One value before a step, another from it on.',
  options: {
    from: { type: 'number', default: 0, about: 'the value before `at`' },
    to: { type: 'number', about: 'the value from `at` on' },
    at: { type: 'integer', default: 0, min: 0, about: 'the step of the jump' },
  },
  create:
    ({ from, to, at }) =>
    (step) =>
      step >= at ? to : from,
});
