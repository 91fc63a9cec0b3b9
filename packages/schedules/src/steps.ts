import { definePlugin, problem } from '@espalier/core';

/** Multiplies by `factor` at each of the given steps: v = from · factor^(steps passed). */
export const steps = definePlugin({
  kind: 'schedule',
  id: 'steps',
  about: 'Multiplied by a factor at each of the given steps.',
  options: {
    from: { type: 'number', about: 'the value at first' },
    factor: { type: 'number', default: 0.1, about: 'what it is multiplied by' },
    at: { type: 'numbers', about: 'the steps, rising' },
  },
  create({ from, factor, at }) {
    if (at.some((step, i) => !Number.isInteger(step) || step < 0 || (i > 0 && step <= at[i - 1]!))) {
      throw problem('OPTION_INVALID', {
        where: 'schedule steps.at',
        expected: 'rising whole numbers',
        found: JSON.stringify(at),
      });
    }
    return (step) => from * factor ** at.filter((each) => step >= each).length;
  },
});
