import {
  type Kind,
  type Option,
  type Options,
  optionApplies,
  type Reference,
  type Registry,
  readReference,
} from '@espalier/core';
import { currentStep } from './current-step.js';
import type { Recipe } from './recipe.js';
import { driverOptions } from './step.js';

/** The recipe with every default written out, so that a report says exactly what ran. */
export function resolvedRecipe(recipe: Recipe, registry: Registry): unknown {
  const steps = recipe.steps.map((_, i) => {
    const { name, kind: step, reference } = currentStep(recipe, i, registry);
    const driver = driverOptions(step, registry, { reference, where: name });
    return { [name]: resolved(registry, { kind: step.kind, reference, driver }) };
  });
  const exporter = recipe.export ?? 'onnx';
  return {
    ...recipe,
    steps,
    export: resolved(registry, { kind: 'export', reference: exporter }),
    seed: recipe.seed ?? 0,
  };
}

function resolved(
  registry: Registry,
  of: { readonly kind: Kind; readonly reference: Reference; readonly driver?: Options },
): Readonly<Record<string, unknown>> {
  const { use, given } = readReference(of.reference, of.kind);
  const table = { ...of.driver, ...registry.find(of.kind, use).options };
  return { use, with: withDefaults(registry, table, given) };
}

function withDefaults(
  registry: Registry,
  table: Options,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(table)
    .filter(([, { when }]) => optionApplies(table, when, given))
    .map(([key, option]) => [key, optionValue(registry, option, given[key])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function optionValue(registry: Registry, option: Option, given: unknown): unknown {
  if (option.type === 'group')
    return withDefaults(registry, option.of, (given ?? {}) as Readonly<Record<string, unknown>>); // checked when it ran
  if (option.type === 'reference') return given;
  if (option.type !== 'plugin') return given ?? option.default;
  const reference = given ?? option.default;
  return reference === undefined
    ? undefined
    : resolved(registry, { kind: option.kind, reference: reference as Reference }); // checked when it ran
}
