import { type EspalierError, problem } from './errors.js';
import { isRecord } from './is-record.js';
import { didYouMean } from './nearest.js';
import type { Option } from './options.js';
import { optionAccepts } from './resolve-options.js';
import { shown } from './shown.js';

type Written = Readonly<Record<string, unknown>>;

/** Keys of an option beside `type`, `about`, `formerly` and `when`. */
const keysOf = {
  number: 'min max of default optional',
  integer: 'min max of default optional',
  boolean: 'default',
  text: 'default',
  choice: 'of default',
  texts: 'default',
  numbers: 'default',
  pairs: 'of default',
  group: 'of',
  plugin: 'kind default optional',
  reference: 'kind',
} as const satisfies Record<Option['type'], string>;

/** The expected value of keys that an option cannot do without, and whether a value is one. */
const needed: Readonly<Record<string, readonly [string, (value: unknown) => boolean]>> = {
  'choice.of': ['a list of texts', (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')],
  'pairs.of': ['an object with a type', isRecord],
  'group.of': ['a table of options', isRecord],
  'plugin.kind': ['a kind of plugin', (value) => typeof value === 'string'],
  'reference.kind': ['a kind of plugin', (value) => typeof value === 'string'],
};

const invalid = (where: string, expected: string, found: unknown, fix = ''): EspalierError =>
  problem('PLUGIN_INVALID', {
    where,
    expected,
    found: shown(found),
    fix: `${fix}The author of the plugin has to correct this.`,
  });

/**
 * Checks the facts of a plugin, which plain JavaScript may have wrong.
 * @throws PLUGIN_INVALID, naming the plugin and the option.
 */
export function checkPluginFacts({ kind, id, about, options }: Written): void {
  const where = [kind, id].filter((each) => typeof each === 'string').join(' ') || 'a plugin';
  for (const [key, value] of Object.entries({ kind, id, about })) {
    if (typeof value !== 'string') throw invalid(`${where}, ${key}`, 'a text', value);
  }
  if (!isRecord(options)) throw invalid(`${where}, options`, 'a table of options; {} for none', options);
  checkTable(where, options);
}

function checkTable(table: string, options: Written): void {
  for (const [name, option] of Object.entries(options)) {
    const where = `${table}, option ${name}`;
    if (!isRecord(option)) throw invalid(where, 'an object with type and about', option);
    const type = String(option['type']);
    if (!Object.hasOwn(keysOf, type)) {
      const types = Object.keys(keysOf);
      throw invalid(`${where}, type`, `one of ${types.join(', ')}`, option['type'], didYouMean(type, types));
    }
    checkOption(where, type as Option['type'], option); // a key of the table above
    for (const other of Object.keys(option['when'] ?? {})) {
      if (!Object.hasOwn(options, other)) {
        const names = Object.keys(options);
        throw invalid(`${where}, when`, `one of the options ${names.join(', ')}`, other, didYouMean(other, names));
      }
    }
  }
}

function checkOption(where: string, type: Option['type'], option: Written): void {
  const keys = ['type', 'about', 'formerly', 'when', ...keysOf[type].split(' ')];
  for (const key of Object.keys(option)) {
    if (keys.includes(key)) continue;
    const meant = type === 'choice' && Array.isArray(option[key]) ? 'The choices belong in "of". ' : '';
    throw invalid(where, `the keys ${keys.join(', ')} for type ${type}`, key, meant || didYouMean(key, keys));
  }
  if (typeof option['about'] !== 'string') throw invalid(`${where}, about`, 'a few words', option['about']);
  if (!['string', 'undefined'].includes(typeof option['formerly'])) {
    throw invalid(`${where}, formerly`, 'a former name', option['formerly']);
  }
  for (const key of keys) {
    const [expected, fits] = needed[`${type}.${key}`] ?? [];
    if (expected && !fits?.(option[key])) throw invalid(`${where}, ${key}`, expected, option[key]);
  }
  const checked = option as Option; // its keys are those of its type
  if (checked.type === 'group')
    checkTable(where, option['of'] as Written); // checked above
  else if ('default' in checked && checked.type !== 'plugin' && checked.default !== undefined) {
    if (!optionAccepts(checked, checked.default))
      throw invalid(`${where}, default`, 'a value that the option accepts', checked.default);
  }
}
