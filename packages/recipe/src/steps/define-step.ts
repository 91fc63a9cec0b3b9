import type { Graph, Kind, Kinds, Options, Resolved } from '@espalier/core';
import type { StepContext, StepKind, StepOutcome, WrittenStep } from '../step.js';
import { referenceWithOptions } from './reference-with-options.js';
import { type SecondPlugin, variantsOf } from './second-plugin.js';

/** The things at hand when a step runs. */
export interface StepWork<P, T extends Options> extends Omit<WrittenStep, 'reference'> {
  /** The plugin that `use` names, made; with `into`, the second plugin, which has taken it. */
  readonly made: P;
  /** The step's own options, defaults filled in. */
  readonly options: Resolved<T>;
  readonly context: StepContext;
}

/** A kind of step in code. */
interface StepDefinition<K extends Kind, T extends Options, I extends Kind> extends Pick<StepKind, 'check'> {
  readonly kind: K;
  readonly options: T;
  /** A second plugin, which an option names and which takes the first one as an option of its own. */
  readonly into?: SecondPlugin<I>;
  run(graph: Graph, work: StepWork<Kinds[I], T>): Promise<StepOutcome>;
}

/**
 * A kind of step. Its options stand beside those of the plugin that `use` names: both are split, checked and made
 * before it runs.
 */
export function defineStep<const K extends Kind, const T extends Options, const I extends Kind = K>(
  definition: StepDefinition<K, T, I>,
): StepKind {
  const { kind, options, into, check, run } = definition;
  const variants = into && variantsOf(into, { kind, options });
  return {
    kind,
    options: into ? {} : options,
    ...(variants ? { variants } : {}),
    ...(check ? { check } : {}),
    async run(graph, { reference, where, index }, context) {
      const { registry, seed } = context;
      const driver = variants?.chosen(registry, { reference, where }) ?? options;
      const step = referenceWithOptions(registry, { kind, driver, reference, where, seed });
      const made = into ? into.make(registry, { plugin: step.plugin, written: step.written, where }) : step.plugin;
      // Without `into`, I is K; and the driver's table holds the step's own.
      return run(graph, { made: made as Kinds[I], options: step.options as Resolved<T>, where, index, context });
    },
  };
}
