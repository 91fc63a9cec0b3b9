import { didYouMean, EspalierError, problem } from '@espalier/core';
import type { DataRole } from './recipe.js';

/** A key that a recipe does not have at this place. */
export const unknownKey = (where: string, key: string, known: readonly string[]): EspalierError =>
  problem('RECIPE_KEY', {
    where: where || 'recipe',
    expected: `one of ${known.join(', ')}`,
    found: `"${key}"`,
    fix: `${didYouMean(key, known)}Remove it or correct its name.`,
    details: { key },
  });

/** A value of the wrong form at this place. */
export const badValue = (where: string, expected: string, found: unknown): EspalierError =>
  problem('RECIPE_INVALID', { where: where || 'recipe', expected, found: describe(found) });

/** A text that is not YAML or JSON. */
export const badText = (where: string, found: string, cause: unknown): EspalierError =>
  problem('RECIPE_SYNTAX', { where, expected: 'YAML or JSON', found, fix: 'Correct the text at that line.', cause });

/** Data that a step needs and nobody gave. */
export const missingData = (where: string, what: DataRole): EspalierError =>
  problem('RECIPE_DATA', {
    where,
    expected: `${what} data`,
    found: 'none',
    fix: `Add data.${what} to the recipe, or --${what === 'evaluation' ? 'data' : what} on the command line${what === 'calibration' ? ' (random:32 tries things out, without accuracy)' : ''}.`,
  });

/** Ranges are measured while the model runs, and it does not. */
export const rangesNeedRun = (reason: string): EspalierError =>
  problem('RECIPE_DATA', {
    where: 'calibration',
    expected: 'a model that runs here, as ranges are measured while it runs',
    found: reason,
    fix: 'Give real samples with --calibration if it takes other inputs, or quantize without ranges: dynamic, weights and fp16 run nothing.',
  });

/** The end of a run whose user asked for it. */
export const stopped = (
  where: string,
  { step, folder }: { readonly step: number; readonly folder: string | undefined },
) =>
  new EspalierError(
    'INTERRUPTED',
    `${where}: stopped after ${step} training steps; nothing was replaced.${folder === undefined ? '' : ` The state is kept in ${folder}: resume from there.`}`,
    { step },
  );

const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'function' ? 'a function' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};
