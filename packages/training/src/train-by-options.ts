import { reestimateBatchNorm } from '@espalier/calibration';
import type { Graph, Tensor, Trained, TrainerContext } from '@espalier/core';
import { batchOrder } from './data/batch-order.js';
import { prefetch } from './data/prefetch.js';
import { readBatch } from './data/read-batch.js';
import { checkPatterns, decaysOf, trainedParameters } from './decays-of.js';
import { evaluate } from './evaluate.js';
import type { Masks } from './masks/masked.js';
import { masksOfZeros } from './masks/masks-of-zeros.js';
import { train } from './train.js';
import type { TrainRequest } from './train-request.js';
import type { TrainerOptions } from './trainer-options.js';
import { withLearningRate } from './with-learning-rate.js';

/** The part of a request that a trainer decides: the length, and its actions during training. */
export type TrainerPlan = Pick<TrainRequest, 'epochs' | 'phases' | 'prune' | 'schedule' | 'project'>;

/** Trains by the options that all trainers share, then recomputes batch norms if the options say so. */
export async function trainByOptions(
  model: Graph,
  {
    options,
    context,
    plan,
  }: { readonly options: TrainerOptions; readonly context: TrainerContext; readonly plan: TrainerPlan },
): Promise<Trained> {
  const request = { ...requestOf(model, options, context), ...plan };
  const trained = await train(request);
  const { batchNormBatches } = options;
  return batchNormBatches > 0 && trained.reason !== 'cancelled'
    ? remeasured(trained, request, batchNormBatches)
    : trained;
}

function requestOf(model: Graph, options: TrainerOptions, context: TrainerContext): TrainRequest {
  const { batch, augment, freeze, evaluateEvery, patience, keepBest, clipNorm, monitor, checkpointEvery } = options;
  const { checkpoint, evidence: _, ...rest } = context;
  const parameters = trainedParameters(model);
  checkPatterns(
    'freeze',
    freeze,
    parameters.map(({ value }) => value),
  );
  const decays = decaysOf(options.decays, parameters);
  return {
    ...rest,
    model,
    batch,
    loss: options.loss,
    optimizer: withLearningRate(options.optimizer, options.learningRate),
    ...(options.schedule ? { schedule: options.schedule } : {}),
    augment,
    freeze,
    evaluateEvery,
    ...(options.dampening === 0 ? {} : { dampening: options.dampening }),
    ...(options.batchNorm === 'batch' ? {} : { batchNorm: options.batchNorm }),
    ...(options.scaleRate === 1 ? {} : { scaleRate: options.scaleRate }),
    ...(decays ? { decays } : {}),
    ...(options.keepZeros ? { masks: zerosOf(model) } : {}),
    ...(clipNorm > 0 ? { clipNorm } : {}),
    ...(patience > 0 ? { patience } : {}),
    ...(keepBest ? { keepBest } : {}),
    ...(monitor === '' ? {} : { monitor }),
    ...(checkpoint
      ? { checkpoint: { ...checkpoint, ...(checkpointEvery > 0 ? { every: checkpointEvery } : {}) } }
      : {}),
  };
}

/** Masks of the zeros that the weights of a model hold. */
function zerosOf(model: Graph): Masks {
  const weights = trainedParameters(model).filter(({ role }) => role === 'weight');
  return masksOfZeros(new Map(weights.map(({ value, tensor }): [string, Tensor] => [value, tensor])));
}

/** The statistics of batch norms from training batches as they are, and what that does to the metrics. */
async function remeasured(trained: Trained, request: TrainRequest, count: number): Promise<Trained> {
  const { executor, evaluation, batch } = request;
  const graph = await reestimateBatchNorm(trained.graph, trainingBatches(request, count), executor);
  if (!evaluation) return { ...trained, graph };
  return { ...trained, graph, metrics: await evaluate({ model: graph, dataset: evaluation, executor, batch }) };
}

/** The inputs of so many batches of the training data, in the order of its first epoch and not augmented. */
export async function* trainingBatches(
  { training, batch, seed, model }: Pick<TrainRequest, 'training' | 'batch' | 'seed' | 'model'>,
  count: number,
): AsyncGenerator<ReadonlyMap<string, Tensor>> {
  const order = batchOrder({ size: training.size, batch, seed });
  const needs = { dataset: training, inputs: model.inputs, target: 'label' };
  const read = (step: number) => readBatch(needs, order.at(step).samples);
  for await (const { inputs } of prefetch(read, { from: 0, to: Math.min(count, order.stepsPerEpoch) })) yield inputs;
}
