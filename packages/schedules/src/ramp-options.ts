import type { Options } from '@espalier/core';

/** Options of every schedule that goes from one value to another between two steps. */
export const rampOptions = {
  from: { type: 'number', default: 0, about: 'the value up to `begin`' },
  to: { type: 'number', about: 'the value from `end` on' },
  begin: { type: 'integer', default: 0, min: 0, about: 'the step at which it begins to move' },
  end: { type: 'integer', min: 1, about: 'the step at which it arrives' },
} as const satisfies Options;
