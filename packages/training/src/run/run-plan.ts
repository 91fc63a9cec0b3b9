import type { Phase } from '@espalier/schedules';
import { type BatchOrder, batchOrder } from '../data/batch-order.js';
import { checkFields } from '../data/read-batch.js';
import { badRequest } from '../errors.js';
import { fixedBatch } from '../evaluate.js';
import type { Course, TrainRequest } from '../train-request.js';
import { learningRateBy } from './learning-rate.js';
import { type SparsityCourse, sparsityCourse } from './sparsity-course.js';

/** The plan that follows from a request before anything runs. */
export interface RunPlan extends SparsityCourse {
  readonly phases: readonly Phase[];
  /** Steps of all phases together. */
  readonly total: number;
  readonly order: BatchOrder;
  readonly target: string;
  readonly keepBest: boolean;
  readonly learningRate: (step: number) => number;
}

/** Checks a request and lays out its steps. @throws TRAINING_REQUEST. */
export function runPlan(request: TrainRequest): RunPlan {
  const { model, training, evaluation, batch, seed, target = 'label' } = request;
  for (const dataset of evaluation ? [training, evaluation] : [training]) {
    checkFields({ dataset, inputs: model.inputs, target });
  }
  const fixed = fixedBatch(model);
  if (fixed !== undefined && fixed !== batch) {
    throw badRequest('batch', {
      expected: `${fixed}, the only batch size this model takes`,
      found: String(batch),
      fix: 'Export the model with a named batch dimension to train with another one.',
    });
  }
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > training.size) {
    throw badRequest('batch', {
      expected: `a whole number from 1 to ${training.size}, the samples there are`,
      found: String(batch),
    });
  }
  const counts = {
    evaluateEvery: request.evaluateEvery,
    patience: request.patience,
    'checkpoint.every': request.checkpoint?.every,
  };
  for (const [name, count] of Object.entries(counts)) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw badRequest(name, { expected: 'a whole number of 1 or more', found: String(count) });
  }
  const order = batchOrder({ size: training.size, batch, seed });
  const phases = phasesOf(request, order.stepsPerEpoch);
  const total = phases.reduce((sum, phase) => sum + ('steps' in phase ? phase.steps : 0), 0);
  const keepBest = request.keepBest ?? request.patience !== undefined;
  if (keepBest && !evaluation) {
    throw badRequest('early stopping and best weights', { expected: 'evaluation data to judge by', found: 'none' });
  }
  const course = sparsityCourse(phases, { order });
  if (keepBest && course.goal !== undefined && !phases.slice(course.settled).some((phase) => 'steps' in phase)) {
    throw badRequest('early stopping and best weights', {
      expected: 'training after the last pruning, for only those weights can be the best',
      found: phases.map((phase) => phase.do).join(', '),
    });
  }
  const learningRate = learningRateBy(request, { steps: total, epoch: order.stepsPerEpoch });
  return { phases, total, order, target, keepBest, learningRate, ...course };
}

function phasesOf({ phases, steps, epochs }: Course, stepsPerEpoch: number): readonly Phase[] {
  const given = [phases, steps, epochs].filter((each) => each !== undefined).length;
  const length = steps ?? (epochs ?? Number.NaN) * stepsPerEpoch;
  const whole = phases !== undefined || (Number.isSafeInteger(length) && length >= 0);
  if (given !== 1 || !whole) {
    throw badRequest('length of the run', {
      expected: 'one of `epochs`, `steps` (whole numbers) and `phases`',
      found: given === 1 ? String(steps ?? epochs) : `${given} of them`,
    });
  }
  return phases ?? [{ do: 'train', steps: length }];
}
