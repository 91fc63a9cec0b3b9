import { problem } from '@espalier/core';

/** The error for bytes that are not what their format says; `offset` is where in the file. */
export const badFormat = (where: string, { expected, found, offset }: Finding & { readonly offset?: number }) =>
  problem('DATA_FORMAT', {
    where: offset === undefined ? where : `${where}, byte ${offset}`,
    expected,
    found,
    fix: 'The file is damaged, truncated or of another format.',
    details: { ...(offset === undefined ? {} : { offset }) },
  });

/** The error for data larger than a limit that guards against hostile or broken files. */
export const tooLarge = (where: string, { expected, found, fix }: Finding & { readonly fix?: string }) =>
  problem('DATA_LIMIT', {
    where,
    expected,
    found,
    fix: fix ?? 'Use smaller data, or raise the limit if you trust it.',
  });

/** The error for an image that cannot be decoded. */
export const badImage = (where: string, found: string, cause?: unknown) =>
  problem('DATA_IMAGE', {
    where,
    expected: 'a PNG or JPEG image that decodes completely',
    found,
    fix: 'Convert or remove the file.',
    cause,
  });

/** The error for an index outside a data set. */
export const badIndex = (name: string, index: number, size: number) =>
  problem('DATA_INDEX', {
    where: `data set ${name}`,
    expected: `indices from 0 to ${size - 1}`,
    found: String(index),
    details: { index, size },
  });

/** The error for samples whose shapes or types do not go together, or do not go with a model. */
export const badShape = (where: string, { expected, found, fix }: Finding & { readonly fix?: string }) =>
  problem('DATA_SHAPE', { where, expected, found, ...(fix ? { fix } : {}) });

/** The error for a data specification or an option of a loader that makes no sense. */
export const badRequest = (where: string, { expected, found, fix }: Finding & { readonly fix?: string }) =>
  problem('DATA_SPEC', { where, expected, found, ...(fix ? { fix } : {}) });

/** The error for a data set without a sample, or without what was asked of it. */
export const nothingFound = (where: string, { expected, found, fix }: Finding & { readonly fix?: string }) =>
  problem('DATA_EMPTY', { where, expected, found, ...(fix ? { fix } : {}) });

/** The expected and the actual finding. */
interface Finding {
  readonly expected: string;
  readonly found: string;
}

/** The error for a model that none of the tried inputs fits. */
export const noInputsFound = (reason: string, open: readonly { readonly name: string }[]) =>
  problem('DATA_INPUTS', {
    where: 'data set random',
    expected: 'inputs that the model accepts',
    found: `none of those that were tried; the first attempt: ${reason}`,
    fix: open.length
      ? `Give sizes with --dims ${open.map(({ name }) => `${name}=SIZE`).join(',')}, or real data as npz:FILE.`
      : 'Give values with --input NAME=NUMBER, or real data as npz:FILE.',
  });
