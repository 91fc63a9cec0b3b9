import { describe, expect, it } from 'vitest';
import { describeOption } from './describe-option.js';
import type { Option, Options } from './options.js';
import { definePlugin } from './plugin.js';
import { resolveOptions } from './resolve-options.js';
import { shown } from './shown.js';

const table = {
  bits: { type: 'integer', default: 8, min: 2, max: 8, about: 'width of a weight' },
  lambda: { type: 'number', about: 'strength' },
  norm: { type: 'choice', of: ['l1', 'l2'], default: 'l2', about: 'how weights are added up' },
  symmetric: { type: 'boolean', default: true, about: 'zero point fixed at zero' },
  name: { type: 'text', default: 'x', about: 'a name' },
  ignore: { type: 'texts', default: [], about: 'what to leave' },
  sizes: { type: 'numbers', default: [1], about: 'sizes' },
  inner: { type: 'group', of: { depth: { type: 'integer', default: 1, min: 0, about: 'depth' } }, about: 'more' },
  schedule: { type: 'plugin', kind: 'schedule', optional: true, about: 'sparsity over steps' },
} as const satisfies Options;

const resolve = (given: unknown) => resolveOptions('quantizer q', table, given);
const message = (given: unknown): string => {
  try {
    resolve(given);
  } catch (error) {
    return `${(error as { code: string }).code} | ${(error as Error).message}`;
  }
  return 'no error';
};

describe('options', () => {
  it('fills in defaults, inside groups too', () => {
    expect({ ...resolve({ lambda: 1 }), inner: { ...(resolve({ lambda: 1 })['inner'] as object) } }).toEqual({
      bits: 8,
      lambda: 1,
      norm: 'l2',
      symmetric: true,
      name: 'x',
      ignore: [],
      sizes: [1],
      inner: { depth: 1 },
      schedule: undefined,
    });
  });

  it('keeps what is written', () => {
    const schedule = () => 0;
    const got = resolve({ lambda: -0.5, bits: 4, ignore: ['a'], inner: { depth: 3 }, schedule });
    expect(got).toMatchObject({ lambda: -0.5, bits: 4, ignore: ['a'], schedule });
    expect(got['inner']).toMatchObject({ depth: 3 });
  });

  it('says what is wrong with an option, where, and what it takes', () => {
    const bad: readonly unknown[] = [
      { lambda: 1, bitz: 4 },
      { lambda: 1, unrelated: 4 },
      {},
      { lambda: Number.NaN },
      { lambda: '1' },
      { lambda: 1, bits: 99 },
      { lambda: 1, bits: 2.5 },
      { lambda: 1, norm: 'l3' },
      { lambda: 1, norm: 5 },
      { lambda: 1, symmetric: 'yes' },
      { lambda: 1, name: 5 },
      { lambda: 1, ignore: 'conv1' },
      { lambda: 1, sizes: [1, Number.POSITIVE_INFINITY] },
      { lambda: 1, inner: { dept: 1 } },
      { lambda: 1, inner: [1] },
      { lambda: 1, inner: { depth: -1 } },
      { lambda: 1, schedule: 'cubic' },
      { lambda: 1, bits: () => 3 },
      { lambda: 1, bits: 5n },
      null,
      [1],
      'text',
    ];
    expect(bad.map(message).join('\n')).toMatchInlineSnapshot(`
      "OPTION_UNKNOWN | quantizer q: expected one of the options bits, lambda, norm, symmetric, name, ignore, sizes, inner, schedule, found "bitz". Did you mean "bits"? Remove it or correct its name.
      OPTION_UNKNOWN | quantizer q: expected one of the options bits, lambda, norm, symmetric, name, ignore, sizes, inner, schedule, found "unrelated". Remove it or correct its name.
      OPTION_MISSING | quantizer q.lambda: expected a number, found nothing. It is strength.
      OPTION_INVALID | quantizer q.lambda: expected a number, found NaN. It is strength.
      OPTION_INVALID | quantizer q.lambda: expected a number, found "1". It is strength.
      OPTION_INVALID | quantizer q.bits: expected a whole number from 2 to 8, found 99. It is width of a weight.
      OPTION_INVALID | quantizer q.bits: expected a whole number from 2 to 8, found 2.5. It is width of a weight.
      OPTION_INVALID | quantizer q.norm: expected one of l1, l2, found "l3". Did you mean "l1"?
      OPTION_INVALID | quantizer q.norm: expected one of l1, l2, found 5. It is how weights are added up.
      OPTION_INVALID | quantizer q.symmetric: expected true or false, found "yes". It is zero point fixed at zero.
      OPTION_INVALID | quantizer q.name: expected a text, found 5. It is a name.
      OPTION_INVALID | quantizer q.ignore: expected a list of texts, found "conv1". It is what to leave.
      OPTION_INVALID | quantizer q.sizes: expected a list of numbers, found [1,null]. It is sizes.
      OPTION_UNKNOWN | quantizer q.inner: expected one of the options depth, found "dept". Did you mean "depth"? Remove it or correct its name.
      OPTION_INVALID | quantizer q.inner: expected an object of options, found [1].
      OPTION_INVALID | quantizer q.inner.depth: expected a whole number of 0 or more, found -1. It is depth.
      OPTION_INVALID | quantizer q.schedule: expected a plugin of kind schedule, found "cubic". It is sparsity over steps.
      OPTION_INVALID | quantizer q.bits: expected a whole number from 2 to 8, found a function. It is width of a weight.
      OPTION_INVALID | quantizer q.bits: expected a whole number from 2 to 8, found 5. It is width of a weight.
      OPTION_INVALID | quantizer q: expected an object of options, found null.
      OPTION_INVALID | quantizer q: expected an object of options, found [1].
      OPTION_INVALID | quantizer q: expected an object of options, found "text"."
    `);
  });

  it('says that there are no options where there are none', () => {
    expect(() => resolveOptions('pass p', {}, { a: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: pass p: expected no options, found "a". Remove it or correct its name.]`,
    );
  });

  it('is not fooled by names of object prototypes', () => {
    expect(message({ lambda: 1, constructor: 1 })).toContain('OPTION_UNKNOWN');
    expect(message(JSON.parse('{"lambda": 1, "__proto__": {"bits": 2}}'))).toContain('OPTION_UNKNOWN');
    expect(Object.getPrototypeOf(resolve({ lambda: 1 }))).toBeNull();
    expect(message(Object.create({ lambda: 1 }))).toContain('OPTION_MISSING');
  });

  it('describes what each type accepts', () => {
    const all: readonly Option[] = [
      ...Object.values(table),
      { type: 'number', min: 0, about: '' },
      { type: 'number', max: 1, about: '' },
      { type: 'integer', about: '' },
    ];
    expect(all.map(describeOption).join('\n')).toMatchInlineSnapshot(`
      "a whole number from 2 to 8
      a number
      one of l1, l2
      true or false
      a text
      a list of texts
      a list of numbers
      a group of options (depth)
      a plugin of kind schedule
      a number of 0 or more
      a number of 1 or less
      a whole number"
    `);
  });

  it('shows any value without throwing', () => {
    const loop: unknown[] = [];
    loop.push(loop);
    const values = [
      loop,
      {
        get a() {
          return loop;
        },
      },
      10n,
      Number.NaN,
      undefined,
      null,
      'a',
      () => 1,
      'y'.repeat(500),
      Symbol('s'),
    ];
    expect(values.map((each) => shown(each).slice(0, 30))).toMatchInlineSnapshot(`
      [
        "a list",
        "an object",
        "10",
        "NaN",
        "undefined",
        "null",
        ""a"",
        "a function",
        ""yyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        "Symbol(s)",
      ]
    `);
  });

  it('may be absent where they are optional, and references stay as they were written', () => {
    const open = {
      end: { type: 'integer', min: 1, optional: true, about: 'the last step' },
      teacher: { type: 'reference', kind: 'model', about: 'a model' },
    } as const satisfies Options;
    const of = (given: unknown) => ({ ...resolveOptions('x', open, given) });
    expect(of({})).toEqual({ end: undefined, teacher: undefined });
    const teacher = { use: 'resnet20', with: { seed: 1 } };
    expect(of({ end: 3, teacher })).toEqual({ end: 3, teacher });
    expect(of({ teacher: 'a.onnx' })).toEqual({ end: undefined, teacher: 'a.onnx' });
    expect(() => of({ end: 0 })).toThrow(/x.end: expected a whole number of 1 or more, found 0/);
    expect(() => of({ teacher: 3 })).toThrow(/x.teacher: expected a text, or a plugin of kind model, found 3/);
  });
});

describe('options that depend on others', () => {
  const modes = {
    mode: { type: 'choice', of: ['gradual', 'iterative'], default: 'gradual', about: 'how' },
    ramp: { type: 'number', default: 2, when: { mode: ['gradual'] }, about: 'how long it takes' },
    between: {
      type: 'choice',
      of: ['go-on', 'rewind'],
      default: 'go-on',
      when: { mode: ['iterative'] },
      about: 'then',
    },
    warm: { type: 'number', when: { mode: ['iterative'], between: ['rewind'] }, about: 'first' },
    pattern: { type: 'text', default: 'weight', about: 'what goes together' },
    size: { type: 'integer', of: [2, 4], default: 4, when: { pattern: ['*:*'] }, about: 'a size' },
  } as const satisfies Options;
  const of = (given: unknown) => ({ ...resolveOptions('x', modes, given) });
  const said = (given: unknown) => {
    try {
      return JSON.stringify(of(given));
    } catch (error) {
      return `${(error as { code: string }).code} | ${(error as Error).message}`;
    }
  };

  it('are refused where they are written and mean nothing, at their default too', () => {
    const cases = [
      { mode: 'iterative', ramp: 2 },
      { warm: 1 },
      { mode: 'iterative', warm: 1 },
      { size: 2 },
      { pattern: '2:4', size: 3 },
    ];
    expect(cases.map(said).join('\n')).toMatchInlineSnapshot(`
      "OPTION_CONFLICT | x.ramp: expected mode: gradual for this option, found mode: iterative. Remove it, or change mode.
      OPTION_CONFLICT | x.warm: expected mode: iterative and between: rewind for this option, found mode: gradual. Remove it, or change mode.
      OPTION_CONFLICT | x.warm: expected mode: iterative and between: rewind for this option, found between: go-on. Remove it, or change between.
      OPTION_CONFLICT | x.size: expected pattern: *:* for this option, found pattern: weight. Remove it, or change pattern.
      OPTION_INVALID | x.size: expected one of 2, 4, found 3. It is a size."
    `);
  });

  it('have their default, or nothing, where they do not apply', () => {
    expect(of({ mode: 'iterative' })).toMatchObject({ ramp: 2, between: 'go-on', warm: undefined });
    expect(of({ mode: 'iterative', between: 'rewind', warm: 3 })).toMatchObject({ warm: 3 });
    expect(of({ pattern: '2:4', size: 2 })).toMatchObject({ size: 2 });
  });

  it('are required where they apply and have no default', () => {
    expect(said({ mode: 'iterative', between: 'rewind' })).toContain('OPTION_MISSING');
  });

  it('have types that say when they may be absent', () => {
    const plugin = definePlugin({
      kind: 'schedule',
      id: 'typed',
      about: 'Types of options.',
      options: modes,
      create({ ramp, warm, size }) {
        const exact: [number, number | undefined, 2 | 4] = [ramp, warm, size];
        return () => exact[0];
      },
    });
    expect(plugin({ ramp: 5 })(0)).toBe(5);
  });
});

describe('pairs', () => {
  const table = {
    shares: { type: 'pairs', of: { type: 'number', min: 0, max: 1 }, default: ['a=1'], about: 'shares' },
    goals: { type: 'pairs', of: { type: 'text' }, default: [], about: 'goals' },
  } as const satisfies Options;
  const of = (given: unknown) => ({ ...resolveOptions('x', table, given) });

  it('are written as texts and read once', () => {
    expect(of({ shares: ['conv*=0.5', 'a=b=0'], goals: ['block?=2:4'] })).toEqual({
      shares: [
        ['conv*', 0.5],
        ['a=b', 0],
      ],
      goals: [['block?', '2:4']],
    });
    expect(of({})['shares']).toEqual([['a', 1]]);
  });

  it.each(['conv', '=1', 'conv=', 'conv=2', 'conv=x', 'conv= '])('refuse %s', (text) => {
    expect(() => of({ shares: [text] })).toThrow(
      /x.shares: expected a list of texts NAME=VALUE, each VALUE a number from 0 to 1, found/,
    );
  });
});
