import type { Outcome } from '@espalier/core';
import { reestimateBatchNorm } from '@espalier/training';
import type { StepContext } from '../step.js';

/** The same outcome with its batch norms recomputed on the calibration data, if there is any. */
export async function reestimated(outcome: Outcome, context: StepContext): Promise<Outcome> {
  if (!context.calibration) return outcome;
  context.progress('re-estimate batch norms');
  const graph = await reestimateBatchNorm(outcome.graph, context.calibration.batches(), context.executor);
  return { ...outcome, graph };
}
