import { withParameters } from '@espalier/autodiff';
import { matchNames } from '@espalier/core';
import { badRequest } from '../errors.js';
import { masked } from '../masks/masked.js';
import type { TrainRequest } from '../train-request.js';
import type { RunState } from './run-state.js';

/** What pruning while training works with. */
export type Pruning = Pick<TrainRequest, 'model' | 'prune' | 'events'>;

/**
 * The state with masks of a sparsity, chosen for the weights as they are now. Frozen parameters stay as they are.
 * @throws TRAINING_REQUEST.
 */
export async function prunedTo(sparsity: number, state: RunState, of: Pruning): Promise<RunState> {
  if (!of.prune) {
    throw badRequest('phases', {
      expected: 'a function `prune` that chooses masks',
      found: 'none',
      fix: 'Pass `prune` with the request, or leave out phases that prune.',
    });
  }
  const isFrozen = matchNames(state.frozen);
  const chosen = await of.prune(withParameters(of.model, state.weights), sparsity);
  const masks = new Map([...chosen].filter(([name]) => !isFrozen(name)));
  of.events?.({ event: 'pruned', step: state.step, sparsity });
  return { ...state, masks, weights: masked(state.weights, masks) };
}
