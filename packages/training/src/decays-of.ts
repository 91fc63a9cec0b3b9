import { type Parameter, parametersOf, trainingForm } from '@espalier/autodiff';
import { didYouMean, type Graph, select, unmatchedPatterns } from '@espalier/core';
import { badRequest } from './errors.js';

/** Refuses patterns that name no parameter: they are misspelt, and would do nothing. @throws TRAINING_REQUEST. */
export function checkPatterns(option: string, patterns: readonly string[], names: readonly string[]): void {
  const [pattern] = unmatchedPatterns(patterns, names);
  if (pattern === undefined) return;
  throw badRequest(option, {
    expected: 'patterns that name a parameter of the model',
    found: `"${pattern}"`,
    fix: `${didYouMean(pattern, names)}Parameters are ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', ...' : ''}.`,
  });
}

/**
 * Factors on weight decay by pattern, of which the last that matches counts; undefined for none, and then weights decay
 * and nothing else. @throws TRAINING_REQUEST.
 */
export function decaysOf(
  written: readonly (readonly [pattern: string, factor: number])[],
  parameters: readonly Parameter[],
): ((name: string) => boolean | number) | undefined {
  if (written.length === 0) return undefined;
  checkPatterns(
    'decays',
    written.map(([pattern]) => pattern),
    parameters.map(({ value }) => value),
  );
  const roles = new Map(parameters.map(({ value, role }) => [value, role]));
  const { override } = select({ overrides: written });
  return (name) => override([name]) ?? roles.get(name) === 'weight';
}

/** The parameters that training would move, by the names it gives them. */
export const trainedParameters = (model: Graph): readonly Parameter[] => parametersOf(trainingForm(model));
