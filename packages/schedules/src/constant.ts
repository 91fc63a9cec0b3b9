import { definePlugin } from '@espalier/core';

/** The same value at every step. `constant({ value: 0.1 })(7)` is 0.1. */
export const constant = definePlugin({
  kind: 'schedule',
  id: 'constant',
  about: 'The same value at every step.',
  options: { value: { type: 'number', about: 'the value' } },
  create:
    ({ value }) =>
    () =>
      value,
});
