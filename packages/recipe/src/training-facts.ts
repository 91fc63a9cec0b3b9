import type { Trained } from '@espalier/core';

/** The figures of a training step. */
export interface TrainingFacts
  extends Pick<
    Trained,
    'epochs' | 'steps' | 'seconds' | 'imagesPerSecond' | 'history' | 'metrics' | 'sparsity' | 'reason'
  > {}

/** The numbers of a training, without its tensors. */
export const trainingFacts = ({
  epochs,
  steps,
  seconds,
  imagesPerSecond,
  history,
  metrics,
  sparsity,
  reason,
}: Trained): TrainingFacts => ({
  epochs,
  steps,
  seconds,
  imagesPerSecond,
  history,
  ...(metrics ? { metrics } : {}),
  ...(sparsity === undefined ? {} : { sparsity }),
  reason,
});
