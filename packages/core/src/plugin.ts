import { checkPluginFacts } from './check-plugin.js';
import type { Kind, Kinds } from './kinds.js';
import type { Given, Options, Resolved } from './options.js';
import { resolveOptions } from './resolve-options.js';

type Args<T extends Options> = {} extends Given<T> ? [given?: Given<T>] : [given: Given<T>];

/** The facts of a plugin, readable without running it. */
export interface PluginFacts<K extends Kind = Kind, T extends Options = Options> {
  readonly kind: K;
  /** Unique within its kind; lower case words joined by `-`. */
  readonly id: string;
  /** One plain sentence. */
  readonly about: string;
  readonly options: T;
}

/** A plugin: call it with options and get the algorithm; read its facts without calling it. */
export interface Plugin<K extends Kind = Kind, T extends Options = Options> extends PluginFacts<K, T> {
  (...args: Args<T>): Kinds[K];
}

/** A plugin whose options are only known as data, as a registry holds it. */
export interface AnyPlugin<K extends Kind = Kind> extends PluginFacts<K> {
  (...given: never[]): Kinds[K];
}

/**
 * Makes a plugin from its facts and the function that builds the algorithm. Options are checked at every call.
 * @throws PLUGIN_INVALID where the facts or the table of options are wrong.
 * @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_MISSING, OPTION_CONFLICT (when called).
 */
/* @__NO_SIDE_EFFECTS__ */
export function definePlugin<const K extends Kind, const T extends Options>(
  definition: PluginFacts<K, T> & { create(options: Resolved<T>): Kinds[K] },
): Plugin<K, T> {
  const { create, ...facts } = definition;
  checkPluginFacts({ ...facts });
  // resolveOptions returns exactly the table's keys with checked values, which is what Resolved<T> says.
  const make = (given: unknown = {}) =>
    create(resolveOptions(`${facts.kind} ${facts.id}`, facts.options, given) as Resolved<T>);
  return Object.assign(make, facts) as Plugin<K, T>;
}

/** Makes the algorithm of a plugin whose options are only known at run time. */
export const instantiate = <K extends Kind>(plugin: AnyPlugin<K>, given: unknown): Kinds[K] => plugin(given as never); // definePlugin's functions check whatever they are given
