import type { CompressReport } from '@espalier/analysis';
import type { Note } from '@espalier/core';

/** The parts of the report that warnings depend on. */
type Findings = Pick<
  CompressReport,
  'comparison' | 'fed' | 'metrics' | 'latency' | 'sizes' | 'input' | 'output' | 'steps'
>;

/** Facts about the run that warnings depend on. */
interface Circumstances {
  readonly notes: readonly Note[];
  /** Whether errors by layer were measured, or nothing could be. */
  readonly errors: boolean;
  /** Whether the original was run in float32. */
  readonly single?: boolean;
  /** Whether the model draws random numbers. */
  readonly random?: boolean;
}

/** Differences of latency below this are those of the clock and of one call. */
const leastMs = 0.05;

/** Warnings for whoever uses the result, in plain sentences. */
export function warningsOf(
  { comparison, fed, metrics, latency, sizes, input, output, steps }: Findings,
  { notes, errors, single, random }: Circumstances,
): readonly string[] {
  const warnings = notes.filter(({ outcome }) => outcome === 'warning').map(({ reason }) => reason);
  if (single) {
    warnings.push(
      'The runtime has no kernels for the type that the original computes in: its outputs and latency are those of the same model in float32.',
    );
  }
  if (random) {
    warnings.push('The model draws random numbers: outputs that depend on them differ between any two runs of it.');
  }
  if (fed.role === 'calibration') {
    warnings.push(
      'The models were compared on the samples that were calibrated on, for there are too few others: the error on new samples is larger. Give other samples with --data.',
    );
  }
  const drop = metrics.before && metrics.after ? metrics.before.top1 - metrics.after.top1 : 0;
  if (drop > 0.01) warnings.push(`Top-1 accuracy fell by ${(drop * 100).toFixed(2)} points.`);
  if (latency && latency.ratio > 1.05 && latency.bMs - latency.aMs > leastMs) {
    warnings.push(
      `The result is slower here: ${latency.ratio.toFixed(2)} times the original's latency on ${latency.runtime}.`,
    );
  }
  if (output.bytes > input.bytes * 0.98)
    warnings.push(`The file did not get smaller: ${output.bytes} bytes after ${input.bytes}.`);
  for (const { name, snrDb, nonFinite, undefinedBoth, count, agreement, constant } of comparison?.outputs ?? []) {
    if (constant && nonFinite === 0 && undefinedBoth < count) {
      warnings.push(
        `Output "${name}" of the original is the same for every sample: that part of the comparison says little. Try other inputs with --data.`,
      );
    }
    if (nonFinite > 0) warnings.push(`Output "${name}" holds ${nonFinite} values that are not finite.`);
    else if (undefinedBoth > 0) {
      const all = undefinedBoth === count ? 'all' : `${undefinedBoth} of ${count}`;
      warnings.push(
        `Output "${name}" of both models holds no finite number in ${all} of its values: that part of the comparison says nothing. Try other inputs with --data.`,
      );
    } else if (agreement !== null) {
      if (agreement < 0.99)
        warnings.push(`Output "${name}" agrees in only ${(agreement * 100).toFixed(1)} % of its values.`);
    } else if (snrDb < 10) warnings.push(`Output "${name}" is far from the original: ${snrDb.toFixed(1)} dB.`);
  }
  if (comparison?.outputs.length === 0) {
    warnings.push('No output could be compared: none of them is a tensor. The file was loaded and run.');
  }
  const far =
    drop > 0.01 || (comparison?.outputs ?? []).some(({ snrDb, agreement }) => agreement === null && snrDb < 10);
  const last = (name: string) => steps.findLastIndex(({ step }) => step === name);
  if (far && last('prune') > last('train'))
    warnings.push(
      'Nothing was trained since the last pruning: a `train` step after it wins back most of what was lost.',
    );
  if (!errors)
    warnings.push('Errors by layer were left out: the model is too large to be run a second time with all its values.');
  if (sizes === null) warnings.push('Sizes under gzip were left out: the model is large.');
  return [...new Set(warnings)];
}
