import { calibrate } from '@espalier/calibration';
import { type Evidence, type Graph, type Need, noEvidence } from '@espalier/core';
import { missingData } from '../errors.js';
import type { StepContext } from '../step.js';

/** One calibration run for everything a step needs; no run when it needs nothing. @throws RECIPE_DATA. */
export async function collectEvidence(
  graph: Graph,
  needs: readonly Need[],
  { where, context }: { readonly where: string; readonly context: StepContext },
): Promise<Evidence> {
  if (needs.length === 0) return noEvidence;
  if (!context.calibration) throw missingData(where, 'calibration');
  return calibrate(graph, needs, {
    executor: context.executor,
    batches: context.calibration.batches,
    progress: (done, message) => context.progress('calibrate', done, message),
  });
}
