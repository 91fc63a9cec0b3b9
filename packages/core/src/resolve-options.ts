import { currentName, currentNames } from './current-names.js';
import { describeOption, describeWhen } from './describe-option.js';
import { problem } from './errors.js';
import { isRecord } from './is-record.js';
import { matchNames } from './match-names.js';
import { didYouMean } from './nearest.js';
import type { NumberForm, Option, Options, When } from './options.js';
import { shown } from './shown.js';

type Written = Readonly<Record<string, unknown>>;

/**
 * Checks given options against their table and fills in defaults. `where` leads every message.
 * @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_MISSING, OPTION_CONFLICT.
 */
export function resolveOptions(where: string, table: Options, given: unknown): Record<string, unknown> {
  const { written } = currentNames(where, table, asRecord(where, given));
  checkOptionNames(where, table, written);
  const out: Record<string, unknown> = Object.create(null);
  for (const [key, option] of Object.entries(table)) {
    const value = valueAt(written, key);
    const other = unmet(table, option.when, written);
    if (other !== undefined && value !== undefined) throw conflict(`${where}.${key}`, option, other);
    out[key] = other === undefined ? resolveOne(`${where}.${key}`, option, value) : defaultOf(option);
  }
  return out;
}

/** Refuses options that a table does not have. @throws OPTION_UNKNOWN with the nearest spelling. */
export function checkOptionNames(where: string, table: Options, written: Written): void {
  const names = Object.keys(table);
  const key = Object.keys(written).find((name) => currentName(table, name) === undefined);
  if (key === undefined) return;
  throw problem('OPTION_UNKNOWN', {
    where,
    expected: names.length ? `one of the options ${names.join(', ')}` : 'no options',
    found: `"${key}"`,
    fix: `${didYouMean(key, names)}Remove it or correct its name.`,
    details: { key },
  });
}

/** Whether an option means something beside the others of its table, as they are written or left at their defaults. */
export const optionApplies = (table: Options, when: When | undefined, written: Written): boolean =>
  unmet(table, when, written) === undefined;

/** Another option whose value rules this one out. */
function unmet(table: Options, when: When = {}, written: Written = {}) {
  for (const [name, values] of Object.entries(when)) {
    const value = valueAt(written, name) ?? (table[name] && defaultOf(table[name]));
    const fits =
      typeof value === 'string' ? matchNames(values.map(String))(value) : values.some((each) => each === value);
    if (!fits) return { name, value };
  }
  return undefined;
}

const conflict = (where: string, { when = {} }: Option, { name, value }: { name: string; value: unknown }) =>
  problem('OPTION_CONFLICT', {
    where,
    expected: `${describeWhen(when)} for this option`,
    found: value === undefined ? `no ${name}` : `${name}: ${typeof value === 'string' ? value : shown(value)}`,
    fix: `Remove it, or change ${name}.`,
  });

const valueAt = (written: Written, key: string): unknown =>
  Object.hasOwn(written, key) ? (written[key] ?? undefined) : undefined; // null is nothing

/** The default of an option; groups have one for each of theirs, and those of plugins are up to a registry. */
const defaultOf = (option: Option): unknown =>
  option.type === 'pairs'
    ? option.default?.map((text) => pairOf(option.of, text))
    : option.type === 'plugin' || !('default' in option)
      ? undefined
      : option.default;

function resolveOne(where: string, option: Option, given: unknown): unknown {
  if (option.type === 'group') return resolveOptions(where, option.of, given ?? {});
  if (given === undefined) {
    const usual = defaultOf(option);
    if (usual !== undefined || option.type === 'reference' || ('optional' in option && option.optional)) return usual;
    throw problem('OPTION_MISSING', {
      where,
      expected: describeOption(option),
      found: 'nothing',
      fix: `It is ${option.about}.`,
    });
  }
  if (!optionAccepts(option, given)) {
    throw problem('OPTION_INVALID', {
      where,
      expected: describeOption(option),
      found: shown(given),
      fix:
        option.type === 'choice' && typeof given === 'string'
          ? `${didYouMean(given, option.of)}`.trim()
          : `It is ${option.about}.`,
      details: { value: given },
    });
  }
  return option.type === 'pairs' ? (given as readonly string[]).map((text) => pairOf(option.of, text)) : given; // accepted as texts
}

/** Whether a value is one that an option takes. */
export function optionAccepts(option: Exclude<Option, { type: 'group' }>, value: unknown): boolean {
  switch (option.type) {
    case 'number':
    case 'integer':
      return isNumber(option, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'choice':
      return typeof value === 'string' && option.of.includes(value);
    case 'texts':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'numbers':
      return Array.isArray(value) && value.every((each) => typeof each === 'number' && Number.isFinite(each));
    case 'pairs':
      return Array.isArray(value) && value.every((each) => typeof each === 'string' && pairOf(option.of, each));
    case 'plugin':
      return isRecord(value) || typeof value === 'function';
    case 'reference':
      return typeof value === 'string' || (isRecord(value) && 'use' in value);
  }
}

const isNumber = ({ type, min = -Infinity, max = Infinity, of }: NumberForm, value: unknown): boolean =>
  typeof value === 'number' &&
  (type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)) &&
  value >= min &&
  value <= max &&
  (of?.includes(value) ?? true);

/** `conv*=0.5` as a pair; the last sign parts it, as names may hold one. Undefined for what is none. */
function pairOf(of: NumberForm | { readonly type: 'text' }, text: string) {
  const at = text.lastIndexOf('=');
  const [name, rest] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (at < 1 || rest === '') return undefined;
  if (of.type === 'text') return [name, rest] as const;
  return isNumber(of, Number(rest)) ? ([name, Number(rest)] as const) : undefined;
}

function asRecord(where: string, given: unknown): Written {
  if (isRecord(given)) return given;
  throw problem('OPTION_INVALID', {
    where,
    expected: 'an object of options',
    found: shown(given),
  });
}
