import {
  type Collectors,
  checkKeys,
  EspalierError,
  type Evidence,
  type Executor,
  evidenceOf,
  type Graph,
  type KeysOf,
  type Need,
  noEvidence,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { dataChanged, noSamples } from './errors.js';
import { planPasses } from './plan-passes.js';
import { runPass } from './run-pass.js';

/** The resources of a calibration run. */
export interface CalibrationRun {
  readonly executor: Executor;
  /**
   * Starts over at every call, with the same samples: histograms need two passes. Feeds are by input name. A further
   * field `label` (class numbers) is what the loss is taken against where gradients are needed; without it, the classes
   * that the model itself predicts are.
   */
  readonly batches: () => AsyncIterable<ReadonlyMap<string, Tensor>>;
  /** Samples in one pass, where known; without it the first pass cannot say which share is done. */
  readonly total?: number;
  /** Told after each batch the share done (0 to 1; 0 while it is not known) and what is going on. */
  readonly progress?: (done: number, message: string) => void;
  /** Collectors of further statistics, by name; they come before the built-in ones. */
  readonly collectors?: Collectors;
}

const keys: KeysOf<CalibrationRun> = {
  executor: true,
  batches: true,
  total: true,
  progress: true,
  collectors: true,
};

/**
 * Runs the data through the graph once for everything that is needed, and twice where a statistic needs the range
 * first. The statistics are nodes of the graph that runs: only their small results leave the runtime, so memory
 * stays close to that of plain inference on one batch. Answers do not depend on how the data is cut into batches,
 * but for float32 rounding within a batch, the squares of gradients and the rows of weight contributions.
 *
 *     const evidence = await calibrate(graph, [{ statistic: 'range', value: 'x' }], { executor, batches });
 *     evidence.find({ statistic: 'range', value: 'x' }); // { min, max }
 *
 * @throws CALIBRATION_NEED, CALIBRATION_NOT_FINITE, CALIBRATION_NO_DATA, CALIBRATION_DATA_CHANGED, what the executor
 * throws, and with gradients CALIBRATION_LABEL and the errors of autodiff (AUTODIFF_OP and others).
 */
export async function calibrate(graph: Graph, needs: readonly Need[], run: CalibrationRun): Promise<Evidence> {
  checkKeys<CalibrationRun>('calibrate', run, keys);
  if (needs.length === 0) return noEvidence;
  const typed = withTypes(graph);
  const plan = planPasses(typed, needs, run.collectors);
  const answers = new Map(plan.answers);
  let samples = 0;
  let target: Evidence['target'];
  for (const [index, tasks] of plan.passes.entries()) {
    const total = index === 0 ? run.total : samples;
    const name = plan.passes.length === 1 ? '' : ` (pass ${index + 1} of ${plan.passes.length})`;
    const result = await runPass(typed, tasks, {
      executor: run.executor,
      batches: run.batches(),
      earlier: evidenceOf(answers, samples),
      progress(seen) {
        const share = total ? Math.min(1, seen / total) : 0;
        run.progress?.((index + share) / plan.passes.length, `calibrated ${seen} samples${name}`);
      },
    });
    if (result.samples === 0) throw noSamples();
    if (index > 0 && result.samples !== samples) throw dataChanged(samples, result.samples);
    samples = result.samples;
    target ??= result.target;
    for (const [key, answer] of result.answers) answers.set(key, answer);
  }
  return evidenceOf(answers, samples, target);
}

// Types save casts and let needs be checked. The runtime, not shape inference, has the last word on a graph.
function withTypes(graph: Graph): Graph {
  try {
    return inferShapes(graph);
  } catch (cause) {
    if (cause instanceof EspalierError) return graph;
    throw cause;
  }
}
