import { withParameters } from '@espalier/autodiff';
import { floats, matchNames, type Tensor } from '@espalier/core';
import { badRequest } from '../errors.js';
import { type Masks, masked } from '../masks/masked.js';
import { maskedShare } from '../masks/masked-share.js';
import type { Constraints, Surroundings, TrainRequest, Weights } from '../train-request.js';
import type { RunState } from './run-state.js';
import { sparsityNoise } from './sparsity-course.js';

/** The context of pruning during training. */
export interface Pruning extends Pick<TrainRequest, 'model'>, Pick<Constraints, 'prune'>, Pick<Surroundings, 'events'> {
  /** Whether the sparsity falls at some time, so that what is pruned has to be kept for its return. */
  readonly falls: boolean;
}

/**
 * The state with masks of a sparsity, chosen for the weights as they are now: what is pruned stays so while the
 * sparsity rises. Where it falls, pruned weights return with the values they were pruned with, and take part in the
 * choice by those. @throws TRAINING_REQUEST.
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
  const dense = of.falls ? regrown(state) : undefined;
  const from = dense && sparsity < state.sparsity - sparsityNoise ? dense : state.weights;
  const chosen = await of.prune(withParameters(of.model, from), sparsity);
  // What is masked now stays so, if by ones, so that one graph serves all the way.
  const now = new Map([...state.masks].map(([name, mask]) => [name, chosen.get(name) ?? ones(mask)]));
  const masks = new Map([...now, ...chosen].filter(([name]) => !isFrozen(name)));
  of.events?.({ event: 'pruned', step: state.step, sparsity, reached: maskedShare(masks) });
  return {
    ...state,
    sparsity,
    masks,
    weights: masked(from, masks),
    dense: dense ? namedIn(dense, masks) : state.dense,
  };
}

/** Weights as they would be if nothing had been pruned: where a mask is 0, the value from before. */
function regrown({ weights, masks, dense }: RunState): Weights {
  const out = new Map(weights);
  for (const [name, { data: mask }] of masks) {
    const [now, before] = [weights.get(name)!, dense.get(name)]; // masks name weights
    if (!before) continue;
    const values = Float32Array.from(now.data as Float32Array); // masked weights are float32
    for (let i = 0; i < values.length; i++) if (mask[i] === 0) values[i] = before.data[i] as number;
    out.set(name, floats(values, now.shape));
  }
  return out;
}

const namedIn = (weights: Weights, masks: Masks): Weights =>
  new Map([...masks.keys()].flatMap((name) => (weights.has(name) ? [[name, weights.get(name)!] as const] : [])));

const ones = ({ shape, data }: Tensor): Tensor => floats(new Float32Array(data.length).fill(1), shape);
