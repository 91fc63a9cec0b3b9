import { expect, test } from 'vitest';
import { checkKeys, type KeysOf } from './check-keys.js';

interface Given {
  readonly epochs: number;
  readonly schedule?: string;
}
const keys: KeysOf<Given> = { epochs: true, schedule: true };
const check = (given: unknown) => checkKeys('train', given as Given, keys, { learningRate: 'schedule' }); // as JavaScript passes it

test('keys of the type pass, those left out or undefined too', () => {
  expect(() => check({ epochs: 1 })).not.toThrow();
  expect(() => check({ epochs: 1, schedule: undefined })).not.toThrow();
});

test('other keys are refused with the nearest spelling, or with the current name', () => {
  expect(() => check({ epoch: 1 })).toThrow(
    'train: expected one of the options epochs, schedule, found "epoch". Did you mean "epochs"? Remove it or correct its name.',
  );
  expect(() => check({ epochs: 1, learningRate: 1 })).toThrow(/found "learningRate". It is called schedule now/);
  expect(() => check({ epochs: 1, toString: 1 })).toThrow(/found "toString"/);
});

test('what is no object is refused as such', () => {
  for (const wrong of [undefined, null, 3, 'x', []])
    expect(() => check(wrong)).toThrow(/train: expected an object of options/);
});
