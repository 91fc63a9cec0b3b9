import { withParameters } from '@espalier/autodiff';
import type { EpochRecord, Measured } from '@espalier/core';
import { badRequest } from '../errors.js';
import { evaluate } from '../evaluate.js';
import { maskedShare } from '../masks/masked-share.js';
import { defaultMetrics } from '../metrics/default-metrics.js';
import type { Metric } from '../metrics/metric.js';
import type { Stopping, TrainingData, TrainRequest } from '../train-request.js';
import type { RunPlan } from './run-plan.js';
import type { RunState } from './run-state.js';

/** The parts of a request that evaluations depend on. */
type Measuring = TrainingData & Stopping;

/** Closes an epoch: its record, the evaluation where one is due (of the state's weights), the best weights, and whether patience is over. */
export async function judgeEpoch(state: RunState, request: TrainRequest, plan: RunPlan): Promise<RunState> {
  const { events = () => {} } = request;
  const metrics = isEvaluated(state.step, request, plan) ? await measured(state, request, plan) : undefined;
  const record: EpochRecord = {
    epoch: epochAt(state.step, plan),
    step: state.step,
    loss: state.lossSum / state.lossCount,
    learningRate: plan.learningRate(state.step - 1),
    ...(state.masks.size > 0 ? { sparsity: maskedShare(state.masks) } : {}),
    ...(metrics ? { metrics } : {}),
  };
  events({ event: 'epoch', ...record });
  const next = { ...state, lossSum: 0, lossCount: 0, history: [...state.history, record] };
  return metrics ? judged(next, metrics, { request, plan }) : next;
}

const epochAt = (step: number, { order }: RunPlan): number => Math.ceil(step / order.stepsPerEpoch);

/** Whether an evaluation follows the epoch that ends with a step. */
export const isEvaluated = (step: number, { evaluation, evaluateEvery = 1 }: Measuring, plan: RunPlan): boolean =>
  evaluation !== undefined && (epochAt(step, plan) % evaluateEvery === 0 || step >= plan.total);

function measured(state: RunState, request: TrainRequest, { target }: RunPlan): Promise<Measured> {
  return evaluate({
    model: withParameters(request.model, state.weights),
    dataset: request.evaluation!, // asked for only where there is one
    executor: request.executor,
    batch: request.batch,
    target,
    ...(request.metrics ? { metrics: request.metrics } : {}),
  });
}

function judged(
  state: RunState,
  metrics: Measured,
  { request, plan }: { readonly request: TrainRequest; readonly plan: RunPlan },
): RunState {
  const { patience, events = () => {} } = request;
  if (state.phase < plan.settled) {
    // Weights before the last pruning are not those that anybody asked for, however good they are.
    events({ event: 'evaluated', step: state.step, metrics, best: false });
    return state;
  }
  const { name, better } = monitored(request);
  const [now, before] = [metrics[name]!, state.best?.metrics[name]];
  const improved = before === undefined || (better === 'higher' ? now > before : now < before);
  events({ event: 'evaluated', step: state.step, metrics, best: improved });
  const best = improved ? { step: state.step, metrics, weights: state.weights } : state.best;
  const stale = improved ? 0 : state.stale + 1;
  const over = patience !== undefined && stale >= patience;
  return { ...state, best, stale, ...(over ? { stopped: 'early-stopping' as const } : {}) };
}

/** The metric that decides which weights are best. @throws TRAINING_REQUEST for one that is not measured. */
export function monitored({ metrics, monitor, evaluation, target = 'label' }: Measuring): Metric {
  const all = metrics ?? defaultMetrics(evaluation?.fields.get(target)?.dtype ?? 'int64');
  const found = monitor === undefined ? all[0] : all.find(({ name }) => name === monitor);
  if (found) return found;
  throw badRequest('monitor', {
    expected: `one of the metrics ${all.map(({ name }) => name).join(', ') || '(there is none)'}`,
    found: `"${monitor}"`,
  });
}
