import { type EspalierError, problem } from '@espalier/core';

/** Two tensors that should hold the same elements do not have the same size. */
export const sizesDiffer = (where: string, { expected, found }: { expected: number; found: number }): EspalierError =>
  problem('COMPARE_SIZE', {
    where,
    expected: `${expected} elements, as in the reference`,
    found: `${found}`,
    fix: 'Compare outputs of the same samples; the two models must return the same shapes.',
    details: { expected, found },
  });

/** Two models share no output that could be compared. */
export const noSharedOutput = (a: readonly string[], b: readonly string[]): EspalierError =>
  problem('COMPARE_OUTPUTS', {
    where: 'comparison of two models',
    expected: `outputs named ${a.join(', ') || '(none)'}`,
    found: b.join(', ') || '(none)',
    fix: 'Compare a model with one made from it: outputs are matched by name, or by position when their number is equal.',
  });

/** There was no sample to work on. */
export const noSamples = (where: string): EspalierError =>
  problem('ANALYSIS_EMPTY', {
    where,
    expected: 'at least one sample',
    found: 'none',
    fix: 'Check the data specification and its split.',
  });

/** No output of the model looks like class scores. */
export const noScores = (outputs: readonly string[]): EspalierError =>
  problem('EVALUATE_OUTPUT', {
    where: 'evaluation',
    expected: 'an output of real numbers with one row of at least 2 class scores for each sample',
    found: outputs.join(', ') || 'no outputs',
    fix: 'Name the output with the option `output`; models that do not classify are measured with `compare`.',
  });

/** An output was named that the model does not have. */
export const unknownOutput = (
  name: string,
  { known, hint }: { known: readonly string[]; hint: string },
): EspalierError =>
  problem('EVALUATE_OUTPUT', {
    where: `output "${name}"`,
    expected: `one of ${known.join(', ')}`,
    found: `"${name}"`,
    fix: hint,
  });

/** The labels of a batch are missing or do not fit it. */
export const badLabels = (found: string, expected: string): EspalierError =>
  problem('EVALUATE_LABELS', {
    where: 'labels of a batch',
    expected,
    found,
    fix: 'Use data with one class index for each sample, numbered as the classes of the model are.',
  });
