import type { StopReason } from '@espalier/core';
import type { Best, RunState } from '../run/run-state.js';

/** Key of the metadata of a checkpoint file that holds everything but tensors. */
export const stateKey = 'espalier';

/** The content of a checkpoint besides tensors. */
export interface StateText
  extends Pick<
    RunState,
    'step' | 'phase' | 'phaseStep' | 'sparsity' | 'frozen' | 'stale' | 'lossSum' | 'lossCount' | 'history'
  > {
  readonly espalierCheckpoint: 1;
  readonly fingerprint: string;
  /** Names of kept weights, in the order of their folders. */
  readonly kept: readonly string[];
  readonly best?: Pick<Best, 'step' | 'metrics'>;
  readonly stopped?: StopReason;
}
