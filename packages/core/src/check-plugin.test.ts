import { describe, expect, it } from 'vitest';
import { type AnyPlugin, definePlugin } from './plugin.js';
import { createRegistry } from './registry.js';

/** A plugin as plain JavaScript may write it; the compiler would refuse most of these. */
const define = (change: object) =>
  definePlugin({
    kind: 'schedule',
    id: 'mine',
    about: 'Mine.',
    options: {},
    create: () => () => 0,
    ...change,
  } as never);
const option = (mode: unknown) => () => define({ options: { mode } });

describe('a plugin with wrong facts is refused when it is defined', () => {
  it.each<[string, object, RegExp]>([
    ['no kind', { kind: undefined }, /^mine, kind: expected a text, found undefined/],
    ['a symbol for an id', { id: Symbol('x') }, /^schedule, id: expected a text, found Symbol\(x\)/],
    ['no options', { options: undefined }, /^schedule mine, options: expected a table of options; \{\} for none/],
  ])('%s', (_, change, message) => {
    expect(() => define(change)).toThrow(expect.objectContaining({ code: 'PLUGIN_INVALID' }));
    expect(() => define(change)).toThrow(message);
  });
});

describe('a wrong option is refused with its name and a remedy', () => {
  it.each<[unknown, RegExp]>([
    [
      { type: 'choice', choices: ['a', 'b'], about: 'mode' },
      /^schedule mine, option mode: expected the keys type, about, formerly, when, of, default for type choice, found "choices"\. The choices belong in "of"\./,
    ],
    [{ type: 'choice', about: 'mode' }, /option mode, of: expected a list of texts, found undefined/],
    [{ type: 'choice', of: 'ab', about: 'mode' }, /option mode, of: expected a list of texts, found "ab"/],
    [
      { type: 'choise', of: ['a'], about: 'mode' },
      /option mode, type: expected one of number, .*found "choise"\. Did you mean "choice"\?/,
    ],
    [{ type: 'integer', defualt: 1, about: 'mode' }, /found "defualt"\. Did you mean "default"\?/],
    [
      { type: 'integer', default: 1.5, about: 'mode' },
      /option mode, default: expected a value that the option accepts, found 1\.5/,
    ],
    [{ type: 'integer', default: 1 }, /option mode, about: expected a few words, found undefined/],
    [
      { type: 'text', when: { kind: ['a'] }, about: 'mode' },
      /option mode, when: expected one of the options mode, found "kind"/,
    ],
    [{ type: 'group', of: { inner: { type: 'nothing' } }, about: 'mode' }, /option mode, option inner, type: expected/],
    ['text', /option mode: expected an object with type and about, found "text"/],
  ])('%j', (written, message) => {
    expect(option(written)).toThrow(message);
  });
});

describe('a registry', () => {
  it.each([undefined, Symbol('x'), {}, () => 0])('refuses %s', (plugin) => {
    // Only the compiler would stop plain JavaScript from this.
    expect(() => createRegistry([plugin as never as AnyPlugin])).toThrow(
      expect.objectContaining({ code: 'PLUGIN_INVALID' }),
    );
  });
});
