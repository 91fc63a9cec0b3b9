import { type Parameter, parametersOf, trainingForm } from '@espalier/autodiff';
import { didYouMean, type Graph, matchNames } from '@espalier/core';
import { badRequest } from './errors.js';

/** Refuses patterns that name no parameter: they are misspelt, and would do nothing. @throws TRAINING_REQUEST. */
export function checkPatterns(option: string, patterns: readonly string[], names: readonly string[]): void {
  for (const pattern of patterns) {
    if (names.some(matchNames([pattern]))) continue;
    throw badRequest(option, {
      expected: 'patterns that name a parameter of the model',
      found: `"${pattern}"`,
      fix: `${didYouMean(pattern, names)}Parameters are ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', ...' : ''}.`,
    });
  }
}

/**
 * Factors on weight decay from texts `PATTERN=FACTOR`, of which the last that matches counts; undefined for none, and
 * then weights decay and nothing else. @throws TRAINING_REQUEST.
 */
export function decaysOf(
  written: readonly string[],
  parameters: readonly Parameter[],
): ((name: string) => boolean | number) | undefined {
  if (written.length === 0) return undefined;
  const factors = written.map(readFactor);
  checkPatterns(
    'decays',
    factors.map(({ pattern }) => pattern),
    parameters.map(({ value }) => value),
  );
  const roles = new Map(parameters.map(({ value, role }) => [value, role]));
  return (name) => factors.findLast(({ test }) => test(name))?.factor ?? roles.get(name) === 'weight';
}

function readFactor(text: string) {
  const at = text.lastIndexOf('=');
  const [pattern, factor] = [text.slice(0, at), Number(text.slice(at + 1))];
  if (at > 0 && at < text.length - 1 && factor >= 0 && Number.isFinite(factor)) {
    return { pattern, factor, test: matchNames([pattern]) };
  }
  throw badRequest('decays', {
    expected: 'PATTERN=FACTOR with a factor of 0 or more, such as `conv*=0.5`',
    found: `"${text}"`,
  });
}

/** The parameters that training would move, by the names it gives them. */
export const trainedParameters = (model: Graph): readonly Parameter[] => parametersOf(trainingForm(model));
