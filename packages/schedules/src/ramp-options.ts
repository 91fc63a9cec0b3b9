import type { Options } from '@espalier/core';
import { unitOption } from './in-steps.js';

/** Options of every schedule that goes from one value to another between two places. */
export const rampOptions = {
  from: { type: 'number', optional: true, about: "the value up to `begin`; the driver's first value, or 0" },
  to: { type: 'number', optional: true, about: "the value from `end` on; the driver's last value unless given" },
  begin: { type: 'number', default: 0, min: 0, about: 'where it begins to move' },
  end: { type: 'number', optional: true, min: 0, about: 'where it arrives; the end of the training unless given' },
  unit: unitOption,
} as const satisfies Options;
