import {
  currentNames,
  findPlugin,
  type Note,
  type Options,
  type Reference,
  type Registry,
  readReference,
} from '@espalier/core';
import type { Recipe } from './recipe.js';
import type { StepKind } from './step.js';
import { type StepName, stepKinds } from './step-kinds.js';

/** A step as written, its options under their current names. */
export interface CurrentStep {
  readonly name: StepName;
  readonly kind: StepKind;
  readonly reference: Reference;
  readonly where: string;
  /** One warning for each option that stands under a former name. */
  readonly notes: readonly Note[];
}

/** The step at an index of a recipe. @throws OPTION_CONFLICT where an option stands under two names. */
export function currentStep({ steps }: Recipe, index: number, registry: Registry): CurrentStep {
  const [name, written] = Object.entries(steps[index]!)[0] as [StepName, Reference]; // checkRecipe made sure of exactly one known key
  const kind: StepKind = stepKinds[name];
  const where = `steps[${index}].${name}`;
  const { use, given } = readReference(written, where);
  const own = findPlugin(registry, { kind: kind.kind, use, where }).options;
  const current = currentNames(`${where}.with`, { ...driverNames(kind, registry), ...own }, given);
  const notes = current.renamed.map(
    ({ from, to }): Note => ({
      outcome: 'warning',
      reason: `The option ${from} in ${where} is called ${to} now. The former name still works.`,
    }),
  );
  const reference = notes.length > 0 ? { use, with: current.written } : written;
  return { name, kind, reference, where, notes };
}

/** The options of a driver under every name they have, whichever variant is chosen. */
const driverNames = ({ options, variants }: StepKind, registry: Registry): Options =>
  Object.assign({}, options, ...(variants?.tables(registry).values() ?? []));
