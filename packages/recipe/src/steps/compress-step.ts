import type { Compressor, Graph, Note, Outcome } from '@espalier/core';
import { axisRulesOf, inferShapes } from '@espalier/ops';
import { collectEvidence, type EvidenceRequest } from './collect-evidence.js';

/** Where a compressor runs, and how its stage is called. */
export interface CompressRequest extends EvidenceRequest {
  readonly stage: 'quantize' | 'prune';
}

const madeRanges: Note = {
  outcome: 'warning',
  reason:
    'No calibration data was given: ranges were measured on made inputs. Give real samples with --calibration, as real inputs may have other ranges.',
};

/** Runs a compressor: it looks at the graph, one calibration run answers its needs, it carries its plan out. */
export async function compress(graph: Graph, compressor: Compressor, request: CompressRequest): Promise<Outcome> {
  const { context, stage } = request;
  const { calibration, training, executor, registry } = context;
  const measured = calibration !== undefined || (stage === 'quantize' && training !== undefined);
  const plan = compressor(inferShapes(graph), { axes: axisRulesOf(registry), data: measured });
  const evidence = await collectEvidence(plan.graph, plan.needs, { ...request, made: stage === 'quantize' });
  context.progress(stage);
  const compressed = plan.apply(evidence);
  const notes = measured || plan.needs.length === 0 ? compressed.notes : [...compressed.notes, madeRanges];
  if (!compressed.refine || !calibration) return { graph: compressed.graph, notes };
  const refined = await compressed.refine({
    executor,
    batches: calibration.batches,
    total: calibration.samples,
    progress: (done, message) => context.progress('reconstruct', done, message),
  });
  return { graph: refined.graph, notes: [...compressed.notes, ...refined.notes] };
}
