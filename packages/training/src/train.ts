import { type TrainingStep, withParameters } from '@espalier/autodiff';
import { checkKeys, type KeysOf, matchNames, sizeOf, type Trained } from '@espalier/core';
import { checkpointStore } from './checkpoint/checkpoint-store.js';
import { fingerprint } from './checkpoint/run-fingerprint.js';
import { notFinite } from './errors.js';
import { masked } from './masks/masked.js';
import { maskedShare } from './masks/masked-share.js';
import { monitored } from './run/judge-epoch.js';
import { startPace } from './run/pace.js';
import { runPhases } from './run/run-phases.js';
import { type RunPlan, runPlan } from './run/run-plan.js';
import { initialState, type RunState } from './run/run-state.js';
import { type Run, saveState } from './run/settle-step.js';
import { initialWeights, stepGraph } from './run/step-graph.js';
import { openTeacher } from './run/teacher.js';
import type { TrainRequest, Weights } from './train-request.js';

const keys: KeysOf<TrainRequest> = {
  model: true,
  seed: true,
  training: true,
  evaluation: true,
  batch: true,
  target: true,
  augment: true,
  loss: true,
  optimizer: true,
  clipNorm: true,
  decays: true,
  scaleRate: true,
  dampening: true,
  batchNorm: true,
  teacher: true,
  lossInputs: true,
  epochs: true,
  steps: true,
  phases: true,
  schedule: true,
  freeze: true,
  masks: true,
  prune: true,
  project: true,
  metrics: true,
  evaluateEvery: true,
  patience: true,
  keepBest: true,
  monitor: true,
  executor: true,
  checkpoint: true,
  events: true,
  signal: true,
};

/** Names that options had before. */
const formerly = { learningRate: 'schedule', earlyStopping: 'patience', checkpointEvery: 'checkpoint.every' };

/**
 * Trains a model: for each step of each phase it reads the next batch, runs the step's graph, feeds what came out
 * back in, and tells what happened. The same request gives the same bytes, whether or not it was interrupted.
 * @throws OPTION_UNKNOWN, TRAINING_REQUEST, TRAINING_NOT_FINITE, TRAINING_TARGETS, CHECKPOINT_OTHER_RUN, CHECKPOINT_DAMAGED, and what
 * differentiation and the executor throw.
 */
export async function train(request: TrainRequest): Promise<Trained> {
  checkKeys<TrainRequest>('train', request, keys, formerly);
  const plan = runPlan(request);
  monitored(request); // an unknown metric is better found now than after the first epoch
  const { freeze = [] } = request;
  const isFrozen = matchNames(freeze);
  const masks = new Map([...(request.masks ?? [])].filter(([name]) => !isFrozen(name)));
  const step = stepGraph(request, { weights: new Map(), frozen: freeze, masks });
  const store = await storeOf(request, plan, step);
  const parameters = new Set(step.parameters.map(({ name }) => name));
  const teacher = await openTeacher(request, step);
  try {
    const run: Run = { request, plan, store, pace: startPace(), parameters, lossInputs: teacher?.answers };
    const resumed = request.checkpoint?.resume ? await store?.load() : undefined;
    const start = resumed ?? initialState(masked(initialWeights(step), masks), freeze, masks);
    announce(run, step, start);
    if (!resumed) await saveState(start, run);
    const finished = await runPhases(start, run);
    if (finished !== start) await saveState(finished, run);
    return trained(finished, run);
  } finally {
    await teacher?.close();
  }
}

async function storeOf(request: TrainRequest, plan: RunPlan, step: TrainingStep) {
  const { checkpoint } = request;
  if (!checkpoint) return undefined;
  const mark = await fingerprint(request, { step, plan });
  return checkpointStore(checkpoint.files, checkpoint.folder, mark);
}

function announce({ request, plan }: Run, step: TrainingStep, start: RunState): void {
  request.events?.({
    event: 'start',
    steps: plan.total,
    stepsPerEpoch: plan.order.stepsPerEpoch,
    batch: request.batch,
    parameters: step.parameters.reduce((sum, { initial }) => sum + sizeOf(initial.shape), 0),
    resumedAt: start.step,
  });
}

function trained(state: RunState, { request, plan, pace }: Run): Trained {
  const best = plan.keepBest ? state.best : undefined;
  const weights = best?.weights ?? state.weights;
  checkFinite(weights, state.step, plan);
  const metrics = best?.metrics ?? state.history.at(-1)?.metrics;
  const reason = state.stopped ?? 'finished';
  request.events?.({ event: 'stopped', step: state.step, reason });
  return {
    graph: withParameters(request.model, weights),
    history: state.history,
    ...(metrics ? { metrics } : {}),
    masks: state.masks,
    ...(state.memory.size > 0 ? { memory: state.memory } : {}),
    ...(state.masks.size > 0 ? { sparsity: maskedShare(state.masks) } : {}),
    epochs: state.history.length,
    steps: state.step,
    reason,
    seconds: pace.seconds(),
    imagesPerSecond: pace.imagesPerSecond(request.batch),
  };
}

/** The loss before the last update says nothing of the weights after it. @throws TRAINING_NOT_FINITE. */
function checkFinite(weights: Weights, step: number, { learningRate }: RunPlan): void {
  for (const [name, { dtype, data }] of weights) {
    if (dtype !== 'float32') continue;
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(data[i])) continue;
      const rate = learningRate(Math.max(0, step - 1));
      throw notFinite('weights that are finite', { step, learningRate: rate, found: `${data[i]} in "${name}"` });
    }
  }
}
