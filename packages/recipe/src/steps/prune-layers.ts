import type { Graph, Outcome, Pruner } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { type LayerOptions, layerNeeds, prepareStructured, pruneLayers } from '@espalier/pruners';
import type { StepContext } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { goalOf, type Written } from './prune-step-options.js';
import { reestimated } from './reestimated.js';

/** Removes whole residual branches, then recomputes the batch norms if data is given: their inputs have changed much. */
export async function pruneBranches(
  graph: Graph,
  { written, pruner, where }: { readonly written: Written; readonly pruner: Pruner; readonly where: string },
  context: StepContext,
): Promise<Outcome> {
  const { measure, only, ignore, samples } = written;
  const options: LayerOptions = {
    pruner,
    measure: measure === 'auto' ? (context.calibration ? 'influence' : 'mean') : measure,
    goal: goalOf(written),
    ...(only.length ? { only } : {}),
    ignore,
  };
  const ready = prepareStructured(inferShapes(graph));
  const evidence = await collectEvidence(ready, layerNeeds(ready, options), { where, context, samples });
  context.progress('prune');
  const outcome = pruneLayers(ready, options, evidence);
  return written.reestimate === 'never' ? outcome : reestimated(outcome, context);
}
