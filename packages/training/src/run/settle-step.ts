import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { notFinite } from '../errors.js';
import type { Objective, TrainRequest } from '../train-request.js';
import { isEvaluated, judgeEpoch } from './judge-epoch.js';
import type { Pace } from './pace.js';
import type { RunPlan } from './run-plan.js';
import type { RunState } from './run-state.js';
import type { StepRunner } from './step-runner.js';
import { unlessFrozen } from './unless-frozen.js';

/** The resources of a run, besides its state. */
export interface Run {
  readonly request: TrainRequest;
  readonly plan: RunPlan;
  readonly store: CheckpointStore | undefined;
  readonly pace: Pace;
  /** Names of the parameters, without running statistics. */
  readonly parameters: ReadonlySet<string>;
  /** Additional inputs of the loss for a batch: a teacher's values. */
  readonly lossInputs: Objective['lossInputs'];
}

/** The result of a step, and its starting point. */
export interface StepResult {
  readonly before: RunState;
  readonly after: RunState;
  readonly loss: number;
  readonly learningRate: number;
}

/**
 * Finishes a step: the check, the projection, the event, the end of an epoch, the checkpoint. Weights are read by
 * `settled` only where one of them needs them. @throws TRAINING_NOT_FINITE.
 */
export async function settleStep(
  { before, after, loss, learningRate }: StepResult,
  run: Run,
  settled: StepRunner['settled'],
): Promise<RunState> {
  const { request, plan, pace } = run;
  const { step } = after;
  if (!Number.isFinite(loss)) throw notFinite('a loss that is finite', { step, learningRate, found: String(loss) });
  let state: RunState = {
    ...after,
    ...projected({ before, after, learningRate }, request),
    lossSum: after.lossSum + loss,
    lossCount: after.lossCount + 1,
  };
  request.events?.({
    event: 'step',
    step,
    loss,
    learningRate,
    imagesPerSecond: pace.imagesPerSecond(request.batch),
    secondsLeft: pace.secondsLeft(plan.total - step),
  });
  const { ends, saves, evaluates } = dueAfter(step, run);
  if (saves || evaluates) state = await settled(state);
  if (ends) state = await judgeEpoch(state, request, plan);
  if (saves) await saveState(state, run);
  return request.signal?.aborted && state.stopped === undefined ? { ...state, stopped: 'cancelled' } : state;
}

/** The weights after the projection, except frozen ones, and what it goes on from. */
function projected(
  { before, after, learningRate }: Omit<StepResult, 'loss'>,
  { project }: Run['request'],
): Pick<RunState, 'weights' | 'memory'> {
  const { step, memory } = after;
  if (!project) return { weights: after.weights, memory };
  const made = project(after.weights, { step, learningRate, before: before.weights, memory });
  return { weights: unlessFrozen(made.weights, before.weights, after.frozen), memory: made.memory ?? memory };
}

/** Whether a step ends an epoch, and whether an evaluation and a checkpoint follow it. */
function dueAfter(step: number, { request, plan, store }: Run) {
  const ends = step % plan.order.stepsPerEpoch === 0 || step === plan.total;
  const every = request.checkpoint?.every;
  const saves = store !== undefined && (every === undefined ? ends : step % every === 0);
  return { ends, saves, evaluates: ends && isEvaluated(step, request, plan) };
}

/** Writes a checkpoint where there is a place for one. A cancelled run is kept as one that goes on. */
export async function saveState(state: RunState, { request, store }: Run): Promise<void> {
  if (!store) return;
  const path = await store.save(state.stopped === 'cancelled' ? { ...state, stopped: undefined } : state);
  request.events?.({ event: 'checkpoint', step: state.step, path });
}
