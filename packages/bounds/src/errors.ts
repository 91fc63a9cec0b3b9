import { type EspalierError, problem } from '@espalier/core';

/** Numbers of a layer do not fit each other or are not finite. */
export const badLayer = (what: string, { expected, found }: { expected: string; found: string }): EspalierError =>
  problem('LAYER_NUMBERS', {
    where: `layer, ${what}`,
    expected,
    found,
    fix: 'Give finite weights [rows, size] and XᵀX [size, size] of the same layer.',
  });

/** A thread that judged a tensor has ended. */
export const workerFailed = (cause: unknown): EspalierError =>
  problem('ANALYSIS_WORKER', {
    where: 'worker thread',
    expected: 'the figures of a tensor',
    found: cause instanceof Error ? cause.message : String(cause),
    fix: 'Use fewer threads if memory ran out; one thread works without workers.',
    cause,
  });
