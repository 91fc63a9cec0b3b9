import { describe, expect, it } from 'vitest';
import { definePlugin } from './plugin.js';
import { createRegistry, readReference, resolveReference } from './registry.js';
import type { Schedule } from './schedule.js';

const constant = definePlugin({
  kind: 'schedule',
  id: 'constant',
  about: 'The same value at every step.',
  options: { value: { type: 'number', default: 1, about: 'the value' } },
  create:
    ({ value }) =>
    () =>
      value,
});
const warmup = definePlugin({
  kind: 'schedule',
  id: 'warmup',
  about: 'Rises to another schedule.',
  options: {
    steps: { type: 'integer', min: 1, about: 'length' },
    next: { type: 'plugin', kind: 'schedule', default: 'constant', about: 'what follows' },
    more: {
      type: 'group',
      of: { after: { type: 'plugin', kind: 'schedule', optional: true, about: 'what comes last' } },
      about: 'more',
    },
  },
  create:
    ({ steps, next, more }) =>
    (step) =>
      step < steps ? (next(step) * step) / steps : (more.after ?? next)(step),
});
const registry = createRegistry([constant, warmup]);
const resolve = (reference: unknown): Schedule =>
  resolveReference(registry, { kind: 'schedule', reference, where: 'steps[0].schedule' });
const message = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return `${(error as { code: string }).code} | ${(error as Error).message}`;
  }
  return 'no error';
};

describe('a registry', () => {
  it('finds plugins by kind and id, and lists them', () => {
    expect(registry.find('schedule', 'constant')).toBe(constant);
    expect(registry.list()).toEqual([constant, warmup]);
    expect(registry.list('pass')).toEqual([]);
    expect(registry.ids('schedule')).toEqual(['constant', 'warmup']);
  });

  it('is extended by value, third parties under their namespace', () => {
    const more = registry.with('acme', [constant]);
    expect(more.ids('schedule')).toEqual(['constant', 'warmup', 'acme/constant']);
    expect(more.find('schedule', 'acme/constant')).toBe(constant);
    expect(registry.ids('schedule')).toEqual(['constant', 'warmup']);
  });

  it('says what exists when it finds nothing', () => {
    const acts = [
      () => registry.find('schedule', 'constnt'),
      () => registry.find('pruner', 'magnitude'),
      () => registry.find('schedule', '__proto__'),
      () => createRegistry([constant, constant]),
      () => registry.with('acme', [constant]).with('acme', [constant]),
    ];
    expect(acts.map(message).join('\n')).toMatchInlineSnapshot(`
      "PLUGIN_UNKNOWN | schedule "constnt": expected one of constant, warmup, found "constnt". Did you mean "constant"? Third-party plugins are found under their namespace.
      PLUGIN_UNKNOWN | pruner "magnitude": expected a registered pruner plugin (there is none), found "magnitude". Third-party plugins are found under their namespace.
      PLUGIN_UNKNOWN | schedule "__proto__": expected one of constant, warmup, found "__proto__". Third-party plugins are found under their namespace.
      PLUGIN_DUPLICATE | registry: expected one plugin for each kind and id, found two for schedule:constant. Rename one, or give one a namespace: \`registry.with\`, \`plugins:\` of a recipe, --plugin NAMESPACE=PACKAGE.
      PLUGIN_DUPLICATE | registry: expected one plugin for each kind and id, found two for schedule:acme/constant. Rename one, or give one a namespace: \`registry.with\`, \`plugins:\` of a recipe, --plugin NAMESPACE=PACKAGE."
    `);
  });
});

describe('references', () => {
  it('name a plugin by id alone or with options', () => {
    expect(resolve('constant')(0)).toBe(1);
    expect(resolve({ use: 'constant' })(0)).toBe(1);
    expect(resolve({ use: 'constant', with: { value: 3 } })(0)).toBe(3);
  });

  it('are resolved inside options and groups, defaults included', () => {
    expect(resolve({ use: 'warmup', with: { steps: 2 } })(1)).toBe(0.5);
    const nested = {
      use: 'warmup',
      with: {
        steps: 2,
        next: { use: 'constant', with: { value: 4 } },
        more: { after: { use: 'constant', with: { value: 9 } } },
      },
    };
    expect([1, 2].map((step) => resolve(nested)(step))).toEqual([2, 9]);
  });

  it('are not changed by being resolved', () => {
    const reference = Object.freeze({ use: 'warmup', with: Object.freeze({ steps: 2, next: 'constant' }) });
    resolve(reference);
    expect(reference.with.next).toBe('constant');
  });

  it('say where they are wrong', () => {
    const acts = [
      () => resolve(5),
      () => resolve(null),
      () => resolve(['constant']),
      () => resolve({ use: 'constant', wiht: {} }),
      () => resolve({ use: 'constant', value: 3 }),
      () => resolve({ with: {} }),
      () => resolve({ use: 'constant', with: [1] }),
      () => resolve({ use: 'constant', with: 'x' }),
      () => resolve('constent'),
      () => resolve({ use: 'constant', with: { valu: 1 } }),
      () => resolve({ use: 'warmup', with: { steps: 1, next: 'nope' } }),
      () => resolve({ use: 'warmup', with: { steps: 1, next: { use: 'constant', with: { value: 'x' } } } }),
      () => resolve({ use: 'warmup', with: { steps: 1, more: 5 } }),
      () => resolve({ use: 'warmup' }),
      () => readReference(undefined, 'export'),
    ];
    expect(acts.map(message).join('\n')).toMatchInlineSnapshot(`
      "REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found 5.
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found null.
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found ["constant"].
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found {"use":"constant","wiht":{}}. Did you mean "with"?
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found {"use":"constant","value":3}. "value" belongs inside "with".
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found {"with":{}}.
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found {"use":"constant","with":[1]}.
      REFERENCE_INVALID | steps[0].schedule: expected an id, or { use: id, with: { ...options } }, found {"use":"constant","with":"x"}.
      PLUGIN_UNKNOWN | steps[0].schedule: schedule "constent": expected one of constant, warmup, found "constent". Did you mean "constant"? Third-party plugins are found under their namespace.
      OPTION_UNKNOWN | steps[0].schedule.with: expected one of the options value, found "valu". Did you mean "value"? Remove it or correct its name.
      PLUGIN_UNKNOWN | steps[0].schedule.with.next: schedule "nope": expected one of constant, warmup, found "nope". Third-party plugins are found under their namespace.
      OPTION_INVALID | steps[0].schedule.with.next.with.value: expected a number, found "x". It is the value.
      OPTION_INVALID | steps[0].schedule.with.more: expected a group of options (after), found 5.
      OPTION_MISSING | steps[0].schedule.with.steps: expected a whole number of 1 or more, found nothing. It is length.
      REFERENCE_INVALID | export: expected an id, or { use: id, with: { ...options } }, found undefined."
    `);
  });
});
