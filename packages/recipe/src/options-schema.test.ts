import type { Options } from '@espalier/core';
import { expect, it } from 'vitest';
import { optionsSchema } from './options-schema.js';

const table = {
  mode: { type: 'choice', of: ['gradual', 'iterative'], default: 'gradual', about: 'how' },
  granularity: { type: 'text', default: 'weight', about: 'what' },
  ramp: { type: 'number', default: 2, when: { mode: ['gradual'] }, about: 'how long' },
  warm: { type: 'number', default: 0, when: { mode: ['iterative'] }, about: 'first' },
  size: { type: 'integer', of: [2, 4], default: 2, when: { granularity: ['weight', '?:*'] }, about: 'a size' },
} as const satisfies Options;

it('the schema says where an option may be written', () => {
  const schema = optionsSchema(table);
  expect(schema['properties']).toMatchObject({
    ramp: { description: 'how long (only with mode: gradual)' },
    size: { type: 'integer', enum: [2, 4] },
  });
  expect(schema['dependentSchemas']).toEqual({
    ramp: { properties: { mode: { enum: ['gradual'] } } }, // the default will do
    warm: { properties: { mode: { enum: ['iterative'] } }, required: ['mode'] },
    size: {
      properties: { granularity: { anyOf: [{ enum: ['weight'] }, { type: 'string', pattern: '^.:.*$' }] } },
    },
  });
});
