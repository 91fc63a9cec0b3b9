import type { Kind, Kinds } from './kinds.js';

/** A plugin named in data: an id, or an id with options. */
export type Reference = string | { readonly use: string; readonly with?: Readonly<Record<string, unknown>> };

/** A number as an option: within a range, or one of a list. */
export interface NumberForm {
  readonly type: 'number' | 'integer';
  readonly min?: number;
  readonly max?: number;
  /** The only values it takes. */
  readonly of?: readonly number[];
}

type Form =
  /** `optional`: may be left out without a default; undefined then, for whoever reads it to fill in. */
  | (NumberForm & { readonly default?: number; readonly optional?: boolean })
  | { readonly type: 'boolean'; readonly default?: boolean }
  | { readonly type: 'text'; readonly default?: string }
  | { readonly type: 'choice'; readonly of: readonly string[]; readonly default?: string }
  | { readonly type: 'texts'; readonly default?: readonly string[] }
  | { readonly type: 'numbers'; readonly default?: readonly number[] }
  /** Texts `NAME=VALUE`, which become pairs: `conv*=0.5` is `['conv*', 0.5]`. */
  | {
      readonly type: 'pairs';
      readonly of: NumberForm | { readonly type: 'text' };
      readonly default?: readonly string[];
    }
  /** Options under one name, each with its own default. */
  | { readonly type: 'group'; readonly of: Options }
  /** A plugin of another kind. `default` is an id, used where a registry resolves references; in code it is required. */
  | { readonly type: 'plugin'; readonly kind: Kind; readonly default?: string; readonly optional?: boolean }
  /** A reference to a plugin of a kind, or another word that its reader understands (a path), unresolved. */
  | { readonly type: 'reference'; readonly kind: Kind };

/**
 * Values of other options of the same table, all of which must hold. A text may be a pattern:
 * `{ mode: ['iterative'], granularity: ['weight', '*:*'] }`.
 */
export interface When {
  readonly [option: string]: readonly (string | number | boolean)[];
}

/** One option of a plugin, as data: from it come types, validation, help, schemas and forms. */
export type Option = Form & {
  readonly about: string;
  /** A name that the option had before. It is still accepted. */
  readonly formerly?: string;
  /**
   * Where the option means something: writing it elsewhere is refused. Elsewhere it has its default, or is undefined
   * where it has none.
   */
  readonly when?: When;
};

/** The options of a plugin by name. */
export interface Options {
  readonly [name: string]: Option;
}

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type ValueOf<O extends Option> = O extends { when: When }
  ? O extends { default: unknown; type: Exclude<Option['type'], 'plugin'> }
    ? Plain<O>
    : Plain<O> | undefined
  : Plain<O>;
type Plain<O extends Option> = O extends { type: 'choice' | 'integer' | 'number'; of: readonly (infer V)[] }
  ? V | (O extends { optional: true } ? undefined : never)
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
            : O extends { type: 'pairs'; of: { type: infer V } }
              ? readonly (readonly [name: string, value: V extends 'text' ? string : number])[]
              : O extends { type: 'group'; of: infer T extends Options }
                ? Resolved<T>
                : O extends { type: 'plugin'; kind: infer K extends Kind; optional: true }
                  ? Kinds[K] | undefined
                  : O extends { type: 'plugin'; kind: infer K extends Kind }
                    ? Kinds[K]
                    : O extends { type: 'reference' }
                      ? Reference | undefined
                      : string;
type GivenOf<O extends Option> = O extends { type: 'group'; of: infer T extends Options }
  ? Given<T>
  : O extends { type: 'pairs' }
    ? readonly string[]
    : ValueOf<O>;
// A table known only as `Options` ends the recursion: its groups could nest for ever.
type MayBeAbsent<O extends Option> = O extends { type: 'group'; of: infer T extends Options }
  ? string extends keyof T
    ? false
    : {} extends Given<T>
      ? true
      : false
  : O extends { type: 'plugin' }
    ? O extends { optional: true } | { when: When }
      ? true
      : false
    : O extends { default: unknown } | { optional: true } | { when: When } | { type: 'reference' }
      ? true
      : false;

/** The options that `create` receives: every option, defaults filled in. */
export type Resolved<T extends Options> = Simplify<{ readonly [K in keyof T]: ValueOf<T[K]> }>;

/** The options that a caller writes; those with a default may be omitted. */
export type Given<T extends Options> = Simplify<
  { readonly [K in keyof T as MayBeAbsent<T[K]> extends true ? K : never]?: GivenOf<T[K]> } & {
    readonly [K in keyof T as MayBeAbsent<T[K]> extends true ? never : K]: GivenOf<T[K]>;
  }
>;
