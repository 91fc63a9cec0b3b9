import type { Optimizer } from '@espalier/core';
import { badRequest } from './errors.js';

/**
 * The optimizer with the learning rate that the trainer was given; the optimizer's own where it was given none.
 * @throws TRAINING_REQUEST where both were given and differ.
 */
export function withLearningRate(optimizer: Optimizer, given: number | undefined): Optimizer {
  if (given === undefined) return optimizer;
  if (optimizer.learningRate !== undefined && optimizer.learningRate !== given) {
    throw badRequest('learningRate', {
      expected: 'one learning rate',
      found: `${given}, and ${optimizer.learningRate} with the optimizer`,
      fix: 'Remove one of the two.',
    });
  }
  return { ...optimizer, learningRate: given };
}
