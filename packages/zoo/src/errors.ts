import { type EspalierError, nearest, problem } from '@espalier/core';

/** Sizes that must divide each other and do not. */
export const unevenSize = (
  where: string,
  { size, by }: { readonly size: string; readonly by: string },
): EspalierError =>
  problem('MODEL_SIZE', {
    where,
    expected: `a multiple of ${by}`,
    found: size,
    fix: 'Change one of the two options.',
  });

/** A sequence that is longer than there are embeddings of places. */
export const tooLong = (
  where: string,
  { sequence, positions }: { readonly sequence: number; readonly positions: number },
): EspalierError =>
  problem('MODEL_SIZE', {
    where,
    expected: `at most \`positions\` (${positions})`,
    found: `${sequence}`,
    fix: 'Shorten the sequence or add positions.',
  });

/** A weight too large to be made. */
export const tooLarge = (
  model: string,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
) =>
  problem('MODEL_SIZE', {
    where: `model ${model}, weight "${name}"`,
    expected: 'at most 2^29 elements',
    found: `[${shape}]`,
    fix: 'Choose a smaller width, vocabulary, size or number of classes.',
  });

/** A tensor of a state dict whose shape is not that of the model's. */
export const wrongShape = (name: string, { expected, found }: { readonly expected: string; readonly found: string }) =>
  problem('STATE_DICT_SHAPE', {
    where: `state dict, tensor "${name}"`,
    expected,
    found,
    fix: 'Build the model with the classes, channels and width that the weights were made for.',
    details: { name },
  });

const shownAtMost = 8;

const listed = (names: readonly string[]): string =>
  names.length === 0
    ? 'none'
    : names.slice(0, shownAtMost).join(', ') +
      (names.length > shownAtMost ? ` and ${names.length - shownAtMost} more` : '');

/** A state dict that lacks tensors of the model, or has others. */
export const otherNames = (missing: readonly string[], unexpected: readonly string[]): EspalierError => {
  const [wanted, given] = missing.length ? [missing[0]!, unexpected] : [unexpected[0]!, missing];
  // A wrapper's prefix ("module.") is too many edits for a misspelling.
  const guess =
    given.find((name) => name.endsWith(`.${wanted}`) || wanted.endsWith(`.${name}`)) ?? nearest(wanted, given);
  return problem('STATE_DICT_NAMES', {
    where: 'state dict',
    expected: 'one tensor for each weight of the model, under its name',
    found: `missing: ${listed(missing)}; unexpected: ${listed(unexpected)}`,
    fix: `${guess === undefined ? '' : `"${wanted}" may be "${guess}". `}Rename them, or pass { strict: false } to load what fits.`,
    details: { missing, unexpected },
  });
};
