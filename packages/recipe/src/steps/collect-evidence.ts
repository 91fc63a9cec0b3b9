import { builtInCollectors, calibrate, collectorsOf } from '@espalier/calibration';
import { type Collectors, type Evidence, type Graph, type Need, noEvidence } from '@espalier/core';
import { takeBalanced } from '@espalier/datasets';
import { missingData } from '../errors.js';
import { hasClasses } from '../has-classes.js';
import { portsOf } from '../model-ports.js';
import { batchesFor } from '../open-data.js';
import type { Batches, StepContext } from '../step.js';

/** A request for the evidence of a step. */
export interface EvidenceRequest {
  /** Where the step stands in the recipe. */
  readonly where: string;
  readonly context: StepContext;
  /** Whether samples of the training data do where no calibration data was given, and made inputs where there is neither. */
  readonly made?: boolean;
  /** The most samples of the training data that gradients are taken on; all when left out. */
  readonly samples?: number;
}

/**
 * One calibration run for everything a step needs; no run when it needs nothing. Where gradients are needed, the data
 * has labels if there are any: it is the training data, else the calibration data. @throws RECIPE_DATA.
 */
export async function collectEvidence(
  graph: Graph,
  needs: readonly Need[],
  request: EvidenceRequest,
): Promise<Evidence> {
  if (needs.length === 0) return noEvidence;
  const { where, context } = request;
  const collectors = collectorsOf(context.registry);
  const known: Collectors = { ...builtInCollectors, ...collectors };
  const gradients = needs.some(({ statistic }) => known[statistic]?.gradients !== undefined);
  const labelled = gradients ? labelledBatches(graph, request) : undefined;
  const plain = context.calibration?.batches ?? (request.made ? trainingBatches(graph, context) : undefined);
  const batches = labelled ?? plain ?? (gradients || !request.made ? undefined : await context.made?.());
  if (!batches) throw missingData(where, 'calibration');
  return calibrate(graph, needs, {
    executor: context.executor,
    batches,
    collectors,
    progress: (done, message) => context.progress('calibrate', done, message),
  });
}

const mostSamples = 512; // of the training data, for ranges

/** A few samples of the training data, as many of each class where there are classes. */
function trainingBatches(graph: Graph, { training, seed }: StepContext): Batches | undefined {
  if (!training) return undefined;
  const few = training.size <= mostSamples || !hasClasses(training);
  const taken = few ? training : takeBalanced(training, { count: mostSamples, seed });
  return batchesFor(taken, portsOf(graph));
}

function labelledBatches(graph: Graph, { context, samples }: EvidenceRequest): Batches | undefined {
  const { training, calibration, seed } = context;
  if (!training || !hasClasses(training)) return calibration?.labelled;
  const taken = samples === undefined ? training : takeBalanced(training, { count: samples, seed });
  return batchesFor(taken, portsOf(graph), { labels: true });
}
