import {
  type AnyPlugin,
  instantiate,
  type Kind,
  type Kinds,
  type Option,
  type Options,
  type Registry,
  resolveOptions,
  resolveReference,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must, mustFail } from './kit.js';

/** Options of every kit, besides the plugin. */
export interface PluginUnderTest {
  /** Options to build it with; needed where some have no default. */
  readonly with?: Readonly<Record<string, unknown>>;
  /** Finds the plugins that its options name by id, defaults included; needed where an option is a plugin. */
  readonly registry?: Registry;
}

/** Builds the algorithm under test. */
export function build<K extends Kind>(plugin: AnyPlugin<K>, { with: given = {}, registry }: PluginUnderTest): Kinds[K] {
  if (!registry) return instantiate(plugin, given);
  const reference = { use: `kit/${plugin.id}`, with: given };
  return resolveReference(registry.with('kit', [plugin]), { kind: plugin.kind, reference, where: plugin.id });
}

/** Checks the facts and options of a plugin of any kind; every other kit includes them. */
export const describePlugin = (plugin: AnyPlugin, test: PluginUnderTest = {}): Kit => ({
  about: `${plugin.kind} ${plugin.id}`,
  checks: pluginChecks(plugin, test),
});

const words = { pattern: /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, like: '`my-plugin`, lower-case words joined by dashes' };

/** The checks of `describePlugin`; ids of some kinds are other names than words. */
export function pluginChecks(plugin: AnyPlugin, test: PluginUnderTest, id = words): readonly Check[] {
  const where = `${plugin.kind} ${plugin.id}`;
  return [
    {
      name: `has an id like ${id.like}`,
      run: () => must(id.pattern.test(plugin.id), where, { expected: `an id like ${id.like}`, found: plugin.id }),
    },
    {
      name: 'says in one sentence what it does',
      run: () =>
        must(/^\S[^\n]{8,240}\.$/.test(plugin.about), `${where}, about`, {
          expected: 'one sentence that ends with a full stop',
          found: plugin.about,
        }),
    },
    {
      name: 'has options that explain themselves and accept their own defaults',
      run: () => checkTable(plugin.options, where),
    },
    {
      name: 'is built from its options, twice alike, without changing them',
      run() {
        const before = fingerprint(test.with);
        build(plugin, test);
        build(plugin, test);
        must(fingerprint(test.with) === before, where, {
          expected: 'the options as they were',
          found: 'changed options',
        });
      },
    },
    {
      name: 'refuses options it does not have',
      run: () =>
        mustFail('OPTION_UNKNOWN', where, () => build(plugin, { ...test, with: { ...test.with, noSuchOption: 1 } })),
    },
  ];
}

function checkTable(table: Options, where: string): void {
  for (const [name, option] of Object.entries(table)) {
    const at = `${where}, option ${name}`;
    must(/^[a-z][a-zA-Z0-9]*$/.test(name), at, { expected: 'a name like `blockSize`', found: name });
    for (const other of Object.keys(option.when ?? {}))
      must(other !== name && Object.hasOwn(table, other), `${at}, when`, {
        expected: `one of its other options (${Object.keys(table).join(', ')})`,
        found: other,
      });
    must(option.about.trim().length > 2, at, { expected: 'a few words about it', found: option.about });
    if (option.type === 'group') checkTable(option.of, at);
    else checkDefault(name, option, at);
  }
}

function checkDefault(name: string, option: Exclude<Option, { type: 'group' }>, at: string): void {
  if (option.type === 'choice')
    must(new Set(option.of).size === option.of.length, at, { expected: 'choices that differ', found: option.of });
  if (option.type === 'plugin' || option.type === 'reference' || option.default === undefined) return; // a registry resolves default ids
  const { when: _, ...always } = option; // its default must be fine wherever it means something
  resolveOptions(at, { [name]: always as typeof option }, { [name]: option.default }); // the same form
}
