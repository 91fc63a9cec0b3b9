import type { Compressor, Graph, Outcome } from '@espalier/core';
import { axisRulesOf, inferShapes } from '@espalier/ops';
import { collectEvidence, type EvidenceRequest } from './collect-evidence.js';

/** Where a compressor runs, and how its stage is called. */
export interface CompressRequest extends EvidenceRequest {
  readonly stage: 'quantize' | 'prune';
}

/** Runs a compressor: it looks at the graph, one calibration run answers its needs, it carries its plan out. */
export async function compress(graph: Graph, compressor: Compressor, request: CompressRequest): Promise<Outcome> {
  const { context, stage } = request;
  const { calibration, executor, registry } = context;
  const plan = compressor(inferShapes(graph), { axes: axisRulesOf(registry), data: calibration !== undefined });
  const evidence = await collectEvidence(plan.graph, plan.needs, request);
  context.progress(stage);
  const compressed = plan.apply(evidence);
  if (!compressed.refine || !calibration) return { graph: compressed.graph, notes: compressed.notes };
  const refined = await compressed.refine({
    executor,
    batches: calibration.batches,
    total: calibration.samples,
    progress: (done, message) => context.progress('reconstruct', done, message),
  });
  return { graph: refined.graph, notes: [...compressed.notes, ...refined.notes] };
}
