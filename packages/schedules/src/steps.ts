import { definePlugin, problem } from '@espalier/core';
import { missingNumber } from './errors.js';
import { inSteps, unitOption } from './in-steps.js';

/** Multiplies by `factor` at each of the given places: v = from · factor^(places passed). */
export const steps = definePlugin({
  kind: 'schedule',
  id: 'steps',
  about: 'Multiplied by a factor at each of the given places.',
  options: {
    from: { type: 'number', optional: true, about: "the value at first; the driver's first value unless given" },
    factor: { type: 'number', default: 0.1, about: 'what it is multiplied by' },
    at: { type: 'numbers', about: 'the places, rising' },
    unit: unitOption,
  },
  create({ from, factor, at, unit }) {
    if (at.some((place, i) => place < 0 || (i > 0 && place <= at[i - 1]!))) {
      throw problem('OPTION_INVALID', {
        where: 'schedule steps.at',
        expected: 'rising numbers of 0 or more',
        found: JSON.stringify(at),
      });
    }
    return (step, span) => {
      const first = from ?? span?.from;
      if (first === undefined) throw missingNumber('steps.from');
      return first * factor ** at.filter((place) => step >= inSteps(place, { unit, span, id: 'steps' })).length;
    };
  },
});
