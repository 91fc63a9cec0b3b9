import { expect, test } from 'vitest';
import { currentNames } from './current-names.js';
import { resolveOptions } from './resolve-options.js';

const table = {
  patience: { type: 'integer', default: 0, formerly: 'earlyStopping', about: 'evaluations to wait' },
  batch: { type: 'integer', default: 64, about: 'samples of a step' },
} as const;

test('an option under its former name stands under the current one, and the change is reported', () => {
  expect(currentNames('step', table, { earlyStopping: 2, batch: 8, other: 1 })).toEqual({
    written: { patience: 2, batch: 8, other: 1 },
    renamed: [{ from: 'earlyStopping', to: 'patience' }],
  });
  expect(resolveOptions('step', table, { earlyStopping: 2 })).toEqual({ patience: 2, batch: 64 });
});

test('an option under both names is refused', () => {
  expect(() => resolveOptions('step', table, { earlyStopping: 2, patience: 3 })).toThrow(
    'step.earlyStopping: expected one name for this option: patience, formerly earlyStopping, found both.',
  );
});
