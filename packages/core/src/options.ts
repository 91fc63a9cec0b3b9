import { problem } from './errors.js';
import { isRecord } from './is-record.js';
import type { Kind, Kinds } from './kinds.js';
import { didYouMean } from './nearest.js';
import type { Reference } from './reference.js';

/** One option of a plugin, as data: from it come types, validation, help, schemas and forms. */
export type Option =
  | {
      readonly type: 'number' | 'integer';
      readonly default?: number;
      /** May be left out without a default: undefined then, for whoever reads it to fill in. */
      readonly optional?: boolean;
      readonly min?: number;
      readonly max?: number;
      readonly about: string;
    }
  | { readonly type: 'boolean'; readonly default?: boolean; readonly about: string }
  | { readonly type: 'text'; readonly default?: string; readonly about: string }
  | { readonly type: 'choice'; readonly of: readonly string[]; readonly default?: string; readonly about: string }
  | { readonly type: 'texts'; readonly default?: readonly string[]; readonly about: string }
  | { readonly type: 'numbers'; readonly default?: readonly number[]; readonly about: string }
  /** Options under one name, each with its own default. */
  | { readonly type: 'group'; readonly of: Options; readonly about: string }
  /** A plugin of another kind. `default` is an id, used where a registry resolves references; in code it is required. */
  | {
      readonly type: 'plugin';
      readonly kind: Kind;
      readonly default?: string;
      readonly optional?: boolean;
      readonly about: string;
    }
  /** A reference to a plugin of a kind, or another word that its reader understands (a path), as it was written. */
  | { readonly type: 'reference'; readonly kind: Kind; readonly about: string };

/** The options of a plugin by name. */
export interface Options {
  readonly [name: string]: Option;
}

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type ValueOf<O extends Option> = O extends { type: 'choice'; of: readonly (infer V)[] }
  ? V
  : O extends { type: 'number' | 'integer'; optional: true }
    ? number | undefined
    : O extends { type: 'number' | 'integer' }
      ? number
      : O extends { type: 'boolean' }
        ? boolean
        : O extends { type: 'texts' }
          ? readonly string[]
          : O extends { type: 'numbers' }
            ? readonly number[]
            : O extends { type: 'group'; of: infer T extends Options }
              ? Resolved<T>
              : O extends { type: 'plugin'; kind: infer K extends Kind; optional: true }
                ? Kinds[K] | undefined
                : O extends { type: 'plugin'; kind: infer K extends Kind }
                  ? Kinds[K]
                  : O extends { type: 'reference' }
                    ? Reference | undefined
                    : string;
type GivenOf<O extends Option> = O extends { type: 'group'; of: infer T extends Options } ? Given<T> : ValueOf<O>;
// A table known only as `Options` ends the recursion: its groups could nest for ever.
type MayBeAbsent<O extends Option> = O extends { type: 'group'; of: infer T extends Options }
  ? string extends keyof T
    ? false
    : {} extends Given<T>
      ? true
      : false
  : O extends { type: 'plugin' }
    ? O extends { optional: true }
      ? true
      : false
    : O extends { default: unknown } | { optional: true } | { type: 'reference' }
      ? true
      : false;

/** What `create` receives: every option, defaults filled in. */
export type Resolved<T extends Options> = Simplify<{ readonly [K in keyof T]: ValueOf<T[K]> }>;

/** What a caller writes: options with a default may be left out. */
export type Given<T extends Options> = Simplify<
  { readonly [K in keyof T as MayBeAbsent<T[K]> extends true ? K : never]?: GivenOf<T[K]> } & {
    readonly [K in keyof T as MayBeAbsent<T[K]> extends true ? never : K]: GivenOf<T[K]>;
  }
>;

/**
 * Checks given options against their table and fills in defaults. `where` leads every message.
 * @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_MISSING.
 */
export function resolveOptions(where: string, table: Options, given: unknown): Record<string, unknown> {
  const written = asRecord(where, given);
  checkOptionNames(where, table, written);
  const out: Record<string, unknown> = Object.create(null);
  for (const [key, option] of Object.entries(table)) {
    const value = Object.hasOwn(written, key) ? written[key] : undefined;
    out[key] = resolveOne(`${where}.${key}`, option, value);
  }
  return out;
}

/** Refuses options that a table does not have. @throws OPTION_UNKNOWN with the nearest spelling. */
export function checkOptionNames(where: string, table: Options, written: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(table);
  const key = Object.keys(written).find((each) => !Object.hasOwn(table, each));
  if (key === undefined) return;
  throw problem('OPTION_UNKNOWN', {
    where,
    expected: names.length ? `one of the options ${names.join(', ')}` : 'no options',
    found: `"${key}"`,
    fix: `${didYouMean(key, names)}Remove it or correct its name.`,
    details: { key },
  });
}

function resolveOne(where: string, option: Option, given: unknown): unknown {
  if (option.type === 'group') return resolveOptions(where, option.of, given ?? {});
  const value = given ?? (option.type === 'plugin' || option.type === 'reference' ? undefined : option.default);
  if (value === undefined) {
    if (option.type === 'reference' || ('optional' in option && option.optional)) return undefined;
    throw problem('OPTION_MISSING', {
      where,
      expected: describeOption(option),
      found: 'nothing',
      fix: `It is ${option.about}.`,
    });
  }
  if (!accepts(option, value)) {
    throw problem('OPTION_INVALID', {
      where,
      expected: describeOption(option),
      found: shown(value),
      fix:
        option.type === 'choice' && typeof value === 'string'
          ? `${didYouMean(value, option.of)}`.trim()
          : `It is ${option.about}.`,
      details: { value },
    });
  }
  return value;
}

/** A value as an error message shows it; never throws, whatever it is given. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value); // JSON has neither NaN nor bigints
  try {
    const text = JSON.stringify(value) ?? String(value);
    return text.length > 200 ? `${text.slice(0, 200)}...` : text;
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}

function accepts(option: Exclude<Option, { type: 'group' }>, value: unknown): boolean {
  switch (option.type) {
    case 'number':
    case 'integer':
      return (
        typeof value === 'number' &&
        (option.type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)) &&
        value >= (option.min ?? Number.NEGATIVE_INFINITY) &&
        value <= (option.max ?? Number.POSITIVE_INFINITY)
      );
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
    case 'plugin':
      return isRecord(value) || typeof value === 'function';
    case 'reference':
      return typeof value === 'string' || (isRecord(value) && 'use' in value);
  }
}

/** What an option accepts, in words: `a number from 0 to 1`. */
export function describeOption(option: Option): string {
  switch (option.type) {
    case 'number':
    case 'integer': {
      const noun = option.type === 'integer' ? 'a whole number' : 'a number';
      if (option.min !== undefined && option.max !== undefined) return `${noun} from ${option.min} to ${option.max}`;
      if (option.min !== undefined) return `${noun} of ${option.min} or more`;
      return option.max !== undefined ? `${noun} of ${option.max} or less` : noun;
    }
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'choice':
      return `one of ${option.of.join(', ')}`;
    case 'texts':
      return 'a list of texts';
    case 'numbers':
      return 'a list of numbers';
    case 'group':
      return `a group of options (${Object.keys(option.of).join(', ')})`;
    case 'plugin':
      return `a plugin of kind ${option.kind}`;
    case 'reference':
      return `a text, or a plugin of kind ${option.kind}`;
  }
}

function asRecord(where: string, given: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(given)) return given;
  throw problem('OPTION_INVALID', {
    where,
    expected: 'an object of options',
    found: shown(given),
  });
}
