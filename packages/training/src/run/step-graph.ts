import { type TrainingStep, trainingStep, withParameters } from '@espalier/autodiff';
import { EspalierError, type Graph, matchNames, type Tensor } from '@espalier/core';
import { setInputShapes } from '@espalier/ops';
import type { Objective, TrainRequest } from '../train-request.js';
import type { RunState } from './run-state.js';

/** The parts of a step. */
export type StepIngredients = Pick<TrainRequest, 'model' | 'batch'> & Objective;

/** The state that also determines the graph of a step. */
export type StepSituation = Pick<RunState, 'weights' | 'frozen' | 'masks'>;

/**
 * The graph of a step in which some parameters are frozen, at the values they have now, and some are masked. Sizes
 * are fixed to the batch, so that shapes are known and what depends on them alone is computed once.
 */
export function stepGraph(from: StepIngredients, situation: StepSituation): TrainingStep {
  const model = situation.weights.size > 0 ? withParameters(from.model, situation.weights) : from.model;
  const fixed = withBatch(model, from.batch);
  const step = stepOf(fixed, from, situation);
  return fixed === model || canReturn(model, step) ? step : stepOf(model, from, situation);
}

function stepOf(model: Graph, from: StepIngredients, { frozen, masks }: StepSituation): TrainingStep {
  const isFrozen = matchNames(frozen);
  return trainingStep(model, {
    loss: from.loss,
    optimizer: from.optimizer,
    trainable: (name) => !isFrozen(name),
    masks: [...masks.keys()].filter((name) => !isFrozen(name)),
    ...(from.clipNorm === undefined ? {} : { clipNorm: from.clipNorm }),
    ...(from.scaleRate === undefined ? {} : { scaleRate: from.scaleRate }),
    ...(from.dampening === undefined ? {} : { dampening: from.dampening }),
    ...(from.batchNorm === undefined ? {} : { batchNorm: from.batchNorm }),
    ...(from.decays ? { decays: from.decays } : {}),
  });
}

/** The model with the first dimension of its inputs fixed; the model itself where it is fixed already or unknown. */
function withBatch(model: Graph, batch: number): Graph {
  const shapes = model.inputs.flatMap((name) => {
    const shape = model.values.get(name)?.shape;
    return shape && typeof shape[0] === 'string' ? [[name, [batch, ...shape.slice(1)]] as const] : [];
  });
  return shapes.length === model.inputs.length ? setInputShapes(model, new Map(shapes)) : model;
}

/** Whether what is trained has a place in the model: with sizes fixed, more may turn out to be constant. */
function canReturn(model: Graph, step: TrainingStep): boolean {
  try {
    withParameters(model, initialWeights(step));
    return true;
  } catch (cause) {
    if (cause instanceof EspalierError) return false;
    throw cause;
  }
}

/** Parameters and running statistics as a step begins with them. */
export const initialWeights = (step: TrainingStep): ReadonlyMap<string, Tensor> =>
  new Map([...step.parameters, ...step.statistics].map(({ name, initial }): [string, Tensor] => [name, initial]));
