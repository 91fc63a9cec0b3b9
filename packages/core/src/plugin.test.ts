import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Kinds } from './kinds.js';
import { definePlugin, instantiate } from './plugin.js';
import { createRegistry } from './registry.js';
import type { Schedule } from './schedule.js';

const cubic = definePlugin({
  kind: 'schedule',
  id: 'cubic',
  about: 'Fast at first, then slow.',
  options: {
    from: { type: 'number', default: 0, about: 'value at `begin`' },
    to: { type: 'number', about: 'value at `end`' },
    end: { type: 'integer', min: 1, about: 'last step' },
  },
  create:
    ({ from, to, end }) =>
    (step) =>
      to + (from - to) * (1 - Math.min(1, step / end)) ** 3,
});

interface Distiller {
  loss(student: number, teacher: number): number;
}
declare module './index.js' {
  interface Kinds {
    distil: Distiller;
  }
}

const everything = definePlugin({
  kind: 'distil',
  id: 'everything',
  about: 'Uses every type of option.',
  options: {
    norm: { type: 'choice', of: ['l1', 'l2'], default: 'l2', about: 'norm' },
    on: { type: 'boolean', default: false, about: 'flag' },
    label: { type: 'text', default: '', about: 'label' },
    names: { type: 'texts', default: [], about: 'names' },
    sizes: { type: 'numbers', default: [], about: 'sizes' },
    inner: { type: 'group', of: { depth: { type: 'integer', default: 1, about: 'depth' } }, about: 'group' },
    schedule: { type: 'plugin', kind: 'schedule', about: 'schedule' },
    other: { type: 'plugin', kind: 'quantizer', optional: true, about: 'maybe' },
  },
  create(options) {
    expectTypeOf(options.norm).toEqualTypeOf<'l1' | 'l2'>();
    expectTypeOf(options.on).toEqualTypeOf<boolean>();
    expectTypeOf(options.label).toEqualTypeOf<string>();
    expectTypeOf(options.names).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.sizes).toEqualTypeOf<readonly number[]>();
    expectTypeOf(options.inner.depth).toEqualTypeOf<number>();
    expectTypeOf(options.schedule).toEqualTypeOf<Schedule>();
    expectTypeOf(options.other).toEqualTypeOf<Kinds['quantizer'] | undefined>();
    return { loss: (student, teacher) => (student - teacher) * options.schedule(options.inner.depth) };
  },
});

const withDefaults = definePlugin({
  kind: 'schedule',
  id: 'constant',
  about: 'The same value at every step.',
  options: { value: { type: 'number', default: 1, about: 'the value' } },
  create:
    ({ value }) =>
    () =>
      value,
});

describe('plugins', () => {
  it('are functions that carry their facts', () => {
    expect({ ...cubic }).toEqual({
      kind: 'schedule',
      id: 'cubic',
      about: 'Fast at first, then slow.',
      options: cubic.options,
    });
    const schedule: Schedule = cubic({ to: 0.6, end: 400 });
    expect([0, 200, 400, 500].map((step) => schedule(step))).toEqual([0, 0.525, 0.6, 0.6]);
  });

  it('may be called without options where all have defaults', () => {
    expect(withDefaults()(3)).toBe(1);
    expect(withDefaults({})(3)).toBe(1);
  });

  it('take plugins of other kinds and groups as options; third parties may add kinds', () => {
    const made: Distiller = everything({ schedule: withDefaults({ value: 2 }), inner: { depth: 3 } });
    expect(made.loss(5, 4)).toBe(2);
  });

  it('check their options at every call', () => {
    expect(() => instantiate(cubic, { to: 1, ende: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: schedule cubic: expected one of the options from, to, end, found "ende". Did you mean "end"? Remove it or correct its name.]`,
    );
  });

  it('let the compiler catch mistakes', () => {
    const never = () => {
      // @ts-expect-error  no such option
      cubic({ to: 1, end: 3, form: 2 });
      // @ts-expect-error  `to` and `end` have no default
      cubic();
      // @ts-expect-error  `end` is missing
      cubic({ to: 1 });
      // @ts-expect-error  a number is wanted
      cubic({ to: '1', end: 3 });
      // @ts-expect-error  not a choice
      everything({ norm: 'l3', schedule: withDefaults() });
      // @ts-expect-error  a schedule is wanted, not a distiller
      everything({ schedule: everything({ schedule: withDefaults() }) });
      // @ts-expect-error  a schedule is required
      everything({});
      // @ts-expect-error  no such option in the group
      everything({ schedule: withDefaults(), inner: { dept: 2 } });
      // @ts-expect-error  no such kind
      definePlugin({ kind: 'nothing', id: 'x', about: '', options: {}, create: () => 1 });
      // @ts-expect-error  a schedule gives numbers
      definePlugin({ kind: 'schedule', id: 'x', about: '', options: {}, create: () => () => 'a' });
      // @ts-expect-error  what a registry finds has the type of its kind
      const wrong: Kinds['quantizer'] = createRegistry([cubic]).find('schedule', 'cubic')();
      return wrong;
    };
    expect(never).toBeTypeOf('function');
  });
});
