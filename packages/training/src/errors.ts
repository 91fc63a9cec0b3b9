import { type EspalierError, problem } from '@espalier/core';

/** A request that contradicts itself, the data or the model. */
export const badRequest = (
  where: string,
  { expected, found, fix }: { readonly expected: string; readonly found: string; readonly fix?: string },
): EspalierError => problem('TRAINING_REQUEST', { where, expected, found, ...(fix ? { fix } : {}) });

/** A loss or weights that are no longer numbers. */
export const notFinite = (
  expected: 'a loss that is finite' | 'weights that are finite',
  { step, learningRate, found }: { readonly step: number; readonly learningRate: number; readonly found: string },
): EspalierError =>
  problem('TRAINING_NOT_FINITE', {
    where: `step ${step}, learning rate ${learningRate}`,
    expected,
    found,
    fix: 'Lower the learning rate, begin with a warm-up, or set clipNorm; if it happens at the first step, check that the inputs are scaled and finite.',
    details: { step, learningRate },
  });

/** Targets that do not go with the model's output. */
export const badTargets = (expected: string, found: string): EspalierError =>
  problem('TRAINING_TARGETS', {
    where: 'targets',
    expected,
    found,
    fix: 'Check that the data set is the one the model was made for, and that its labels count from 0.',
  });

/** A checkpoint that belongs to another run. */
export const otherRun = (where: string, expected: string, found: string): EspalierError =>
  problem('CHECKPOINT_OTHER_RUN', {
    where,
    expected: `a checkpoint of this model, recipe, data and seed (${expected})`,
    found: `one of another run (${found})`,
    fix: 'Resume with exactly the model, recipe and seed it began with, or train into another folder.',
  });

/** Checkpoint files of which none can be read. */
export const damagedCheckpoint = (where: string, cause: unknown): EspalierError =>
  problem('CHECKPOINT_DAMAGED', {
    where,
    expected: 'a whole checkpoint, or the one before it',
    found: cause instanceof Error ? cause.message : String(cause),
    fix: 'Remove the folder and begin again.',
    cause,
  });
