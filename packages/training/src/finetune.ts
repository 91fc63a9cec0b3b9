import { parametersOf, trainingForm } from '@espalier/autodiff';
import {
  type Dataset,
  definePlugin,
  type Graph,
  type Loss,
  type Optimizer,
  type Schedule,
  type Tensor,
} from '@espalier/core';
import { cosine } from '@espalier/schedules';
import { augmentOptions } from './augment/augment-options.js';
import { batchOrder } from './data/batch-order.js';
import { prefetch } from './data/prefetch.js';
import { readBatch } from './data/read-batch.js';
import { evaluate } from './evaluate.js';
import type { Masks } from './masks/masked.js';
import { masksOfZeros } from './masks/masks-of-zeros.js';
import { reestimateBatchNorm } from './reestimate-batch-norm.js';
import { train } from './train.js';
import type { Trained, TrainRequest } from './train-request.js';
import type { Trainer, TrainerContext } from './trainer.js';

/** Trains on for some epochs, or from the beginning; what was pruned stays pruned. */
export const finetune = definePlugin({
  kind: 'trainer',
  id: 'finetune',
  about: 'Trains for some epochs with one optimizer and schedule; what was pruned before stays zero.',
  options: {
    epochs: { type: 'integer', default: 1, min: 0, about: 'passes over the training data' },
    batch: {
      type: 'integer',
      default: 64,
      min: 1,
      about: 'samples in a step; what does not fill the last one is left out',
    },
    learningRate: {
      type: 'number',
      default: 0.01,
      min: 0,
      about: 'at the first step; it falls to 0 along half a cosine',
    },
    schedule: {
      type: 'plugin',
      kind: 'schedule',
      optional: true,
      about: 'learning rate by step, in place of `learningRate` and its cosine',
    },
    optimizer: { type: 'plugin', kind: 'optimizer', default: 'sgd', about: 'how gradients change weights' },
    loss: { type: 'plugin', kind: 'loss', default: 'cross-entropy', about: 'what is made small' },
    augment: { type: 'group', of: augmentOptions, about: 'how training images are varied' },
    clipNorm: { type: 'number', default: 0, min: 0, about: 'largest norm of all gradients together; 0 for no limit' },
    freeze: { type: 'texts', default: [], about: 'globs of parameters that do not change' },
    keepZeros: { type: 'boolean', default: true, about: 'weights that are zero stay zero, as after pruning' },
    evaluateEvery: { type: 'integer', default: 1, min: 1, about: 'epochs between two evaluations' },
    earlyStopping: {
      type: 'integer',
      default: 0,
      min: 0,
      about: 'evaluations without a better one before it stops and returns the best weights; 0 for never',
    },
    keepBest: {
      type: 'boolean',
      default: false,
      about: 'return the weights of the best evaluation, not the last ones',
    },
    monitor: { type: 'text', default: '', about: 'metric that decides: top1 or loss; the first one when empty' },
    checkpointEvery: {
      type: 'integer',
      default: 0,
      min: 0,
      about: 'steps between two checkpoints; 0 for one each epoch',
    },
    batchNormBatches: {
      type: 'integer',
      default: 0,
      min: 0,
      about:
        'batches from which the statistics of batch norms are measured anew at the end; 0 to keep the running ones',
    },
  },
  create: (options): Trainer => ({
    async train(graph, context) {
      const request = requestOf(graph, options, context);
      const trained = await train(request);
      return options.batchNormBatches > 0 ? remeasured(trained, request, options.batchNormBatches) : trained;
    },
  }),
});

interface FinetuneOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: Schedule | undefined;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly augment: NonNullable<TrainRequest['augment']>;
  readonly clipNorm: number;
  readonly freeze: readonly string[];
  readonly keepZeros: boolean;
  readonly evaluateEvery: number;
  readonly earlyStopping: number;
  readonly keepBest: boolean;
  readonly monitor: string;
  readonly checkpointEvery: number;
}

function requestOf(model: Graph, options: FinetuneOptions, context: TrainerContext): TrainRequest {
  const { epochs, batch, earlyStopping, keepBest, clipNorm, monitor, checkpointEvery } = options;
  const { checkpoint, ...rest } = context;
  const end = Math.max(1, epochs * Math.floor(context.training.size / batch));
  const every = checkpointEvery > 0 ? { every: checkpointEvery } : {};
  return {
    ...rest,
    model,
    batch,
    epochs,
    loss: options.loss,
    optimizer: options.optimizer,
    learningRate: options.schedule ?? cosine({ from: options.learningRate, to: 0, end }),
    augment: options.augment,
    freeze: options.freeze,
    evaluateEvery: options.evaluateEvery,
    ...(options.keepZeros ? { masks: zerosOf(model) } : {}),
    ...(clipNorm > 0 ? { clipNorm } : {}),
    ...(earlyStopping > 0 ? { patience: earlyStopping } : {}),
    ...(keepBest ? { keepBest } : {}),
    ...(monitor === '' ? {} : { monitor }),
    ...(checkpoint ? { checkpoint: { ...checkpoint, ...every } } : {}),
  };
}

/** Masks of the zeros that the weights of a model hold. */
function zerosOf(model: Graph): Masks {
  const weights = parametersOf(trainingForm(model)).filter(({ role }) => role === 'weight');
  return masksOfZeros(new Map(weights.map(({ value, tensor }): [string, Tensor] => [value, tensor])));
}

/** The statistics of batch norms from training batches as they are, and what that does to the metrics. */
async function remeasured(trained: Trained, request: TrainRequest, count: number): Promise<Trained> {
  const { executor, evaluation, batch } = request;
  const graph = await reestimateBatchNorm(trained.graph, batchesOf(request, count), executor);
  if (!evaluation) return { ...trained, graph };
  return { ...trained, graph, metrics: await evaluate({ model: graph, dataset: evaluation, executor, batch }) };
}

async function* batchesOf({ training, batch, seed, model }: TrainRequest, count: number) {
  const order = batchOrder({ size: training.size, batch, seed });
  const needs: { readonly dataset: Dataset; readonly inputs: readonly string[]; readonly target: string } = {
    dataset: training,
    inputs: model.inputs,
    target: 'label',
  };
  const read = (step: number) => readBatch(needs, order.at(step).samples);
  for await (const { inputs } of prefetch(read, { from: 0, to: Math.min(count, order.stepsPerEpoch) })) yield inputs;
}
