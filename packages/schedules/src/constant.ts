import { definePlugin } from '@espalier/core';
import { missingNumber } from './errors.js';

/** The same value at every step. `constant({ value: 0.1 })(7)` is 0.1. @throws OPTION_MISSING where none is known. */
export const constant = definePlugin({
  kind: 'schedule',
  id: 'constant',
  about: 'The same value at every step.',
  options: { value: { type: 'number', optional: true, about: "the value; the driver's first value unless given" } },
  create:
    ({ value }) =>
    (_, span) => {
      const found = value ?? span?.from;
      if (found !== undefined) return found;
      throw missingNumber('constant.value');
    },
});
