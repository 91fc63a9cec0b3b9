import { createRandom, floats, matchNames, type Tensor } from '@espalier/core';
import type { Phase } from '@espalier/schedules';
import { badRequest } from '../errors.js';
import { masked } from '../masks/masked.js';
import type { TrainRequest, Weights } from '../train-request.js';
import { type Pruning, prunedTo } from './pruned-to.js';
import type { RunState } from './run-state.js';
import { unlessFrozen } from './unless-frozen.js';

/** A phase that takes no steps. */
export type InstantPhase = Exclude<Phase, { readonly steps: number }>;

/** The context of instant phases, besides the state. */
export interface PhaseContext extends Pruning, Pick<TrainRequest, 'seed'> {
  /** Names of the parameters, without running statistics. */
  readonly parameters: ReadonlySet<string>;
}

/** The state after a phase that takes no steps. @throws TRAINING_REQUEST. */
export async function applyPhase(phase: InstantPhase, state: RunState, context: PhaseContext): Promise<RunState> {
  switch (phase.do) {
    case 'prune':
      return prunedTo(phase.sparsity, state, context);
    case 'keep':
      return { ...state, kept: new Map([...state.kept, [phase.name, state.weights]]) };
    case 'rewind': {
      const weights = state.kept.get(phase.to);
      if (weights) return restarted(state, weights, context);
      throw badRequest(`phase ${state.phase}, rewind`, {
        expected: state.kept.size ? `one of ${[...state.kept.keys()].join(', ')}` : 'weights kept by an earlier phase',
        found: `"${phase.to}"`,
      });
    }
    case 'reinitialise':
      return restarted(state, redrawn(state, context), context);
    case 'freeze':
      return { ...state, frozen: [...new Set([...state.frozen, phase.parameters])] };
    case 'unfreeze':
      return { ...state, frozen: state.frozen.filter((glob) => !matchNames([phase.parameters])(glob)) };
  }
}

/** Other weights under the same masks, and an optimizer that knows nothing of them. */
const restarted = (state: RunState, weights: Weights, { falls }: Pruning): RunState => ({
  ...state,
  weights: masked(unlessFrozen(weights, state.weights, state.frozen), state.masks),
  dense: falls ? new Map([...weights].filter(([name]) => state.masks.has(name))) : state.dense,
  optimizer: new Map(),
});

/**
 * Weights of two or more axes drawn from a normal distribution of deviation √(2 / fan-in), fan-in being the elements
 * of one output (He et al. 2015, arXiv 1502.01852, eq. 10); all others stay.
 */
function redrawn(state: RunState, { seed, parameters }: PhaseContext): Weights {
  const random = createRandom(seed).fork(`reinitialise ${state.phase}`);
  const out = new Map(state.weights);
  for (const [name, weight] of state.weights) {
    if (parameters.has(name) && weight.shape.length >= 2) out.set(name, drawn(weight, random.fork(name).normal));
  }
  return out;
}

function drawn({ shape, data }: Tensor, normal: () => number): Tensor {
  const scale = Math.sqrt((2 * shape[0]!) / Math.max(1, data.length));
  return floats(
    Float32Array.from({ length: data.length }, () => normal() * scale),
    shape,
  );
}
