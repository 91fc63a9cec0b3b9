import { textTable } from '@espalier/analysis';
import {
  type AnyPlugin,
  aboutOption,
  describeOption,
  nearest,
  type Option,
  type Options,
  problem,
} from '@espalier/core';
import { type SharedFlags, withSharedFlags } from '../flags.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier plugins [ID]`: what there is, or the options of one. */
export const plugins: Verb = (command, surroundings) =>
  void withSharedFlags(command).action((id: string | undefined, flags: SharedFlags) =>
    withWorkbench(flags, surroundings, {
      async work({ registry, answer }) {
        const kinds = [...new Set(registry.list().map(({ kind }) => kind))];
        const named = kinds.flatMap((kind) =>
          registry.ids(kind).map((name) => ({ name, plugin: registry.find(kind, name) })),
        );
        const chosen = id === undefined ? named : named.filter(({ name }) => name === id);
        if (chosen.length === 0 && id !== undefined) throw unknownPlugin(id, named);
        const facts = chosen.map(({ name, plugin }) => ({
          kind: plugin.kind,
          id: name,
          about: plugin.about,
          options: plugin.options,
        }));
        answer(facts, () =>
          id === undefined
            ? textTable(
                columns('plugin', 'kind', 'about'),
                facts.map((each) => [each.id, each.kind, each.about]),
              )
            : chosen.map(({ name, plugin }) => pluginText(name, plugin)).join('\n\n'),
        );
      },
    }),
  );

function unknownPlugin(id: string, named: readonly { readonly name: string; readonly plugin: AnyPlugin }[]) {
  const meant = nearest(
    id.replace(/^.*\//, ''),
    named.map(({ name }) => name.replace(/^.*\//, '')),
  );
  const near = named.filter(({ name }) => meant !== undefined && name.replace(/^.*\//, '') === meant);
  return problem('PLUGIN_UNKNOWN', {
    where: 'plugins',
    expected: 'the id of a plugin',
    found: `"${id}"`,
    fix: `${near.length ? `Did you mean ${near.map(({ name, plugin }) => `"${name}" (${plugin.kind})`).join(' or ')}? ` : ''}\`espalier plugins\` lists all of them.`,
  });
}

const columns = (...titles: readonly string[]) => titles.map((title) => ({ title }));

function pluginText(name: string, { kind, about, options }: AnyPlugin): string {
  const rows = optionRows(options);
  return `${kind} ${name}: ${about}${rows.length ? `\n\n${textTable(columns('option', 'accepts', 'default', 'about'), rows)}` : '\nno options'}`;
}

const optionRows = (options: Options, prefix = ''): readonly (readonly string[])[] =>
  Object.entries(options).flatMap(([name, option]) =>
    option.type === 'group'
      ? optionRows(option.of, `${prefix}${name}.`)
      : [[`${prefix}${name}`, describeOption(option), defaultText(option), aboutOption(option)]],
  );

const defaultText = (option: Option): string =>
  'default' in option && option.default !== undefined
    ? JSON.stringify(option.default)
    : option.type === 'reference' || ('optional' in option && option.optional)
      ? 'none'
      : 'required';
