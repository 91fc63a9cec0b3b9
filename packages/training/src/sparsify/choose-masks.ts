import {
  floats,
  type Graph,
  noEvidence,
  type Pruner,
  type PruneTarget,
  type Tensor,
  type TrainerContext,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { type PruneOptions, pruneWeights } from '@espalier/pruners';
import { trainedParameters } from '../decays-of.js';
import { badRequest } from '../errors.js';
import type { Masks } from '../masks/masked.js';
import { masksOfZeros } from '../masks/masks-of-zeros.js';
import type { Prune } from '../train-request.js';
import { goalAt } from './goal-at.js';

/** The context of choosing masks. */
export interface MaskChoice {
  readonly options: PruneOptions;
  /** Whether zeros of weights that are not pruned stay too. */
  readonly keepZeros: boolean;
  readonly evidence: TrainerContext['evidence'];
}

/** Masks by the pruning driver: each weight it is asked about gets one, so that the same ones are masked all the way. */
export const chooseMasks =
  ({ options, keepZeros, evidence }: MaskChoice): Prune =>
  async (model, sparsity) => {
    const typed = inferShapes(model);
    const asked = new Set<ValueId>();
    const wanted = { ...goalAt(options, sparsity), pruner: noting(options.pruner, asked) };
    const { needs, apply } = pruneWeights(wanted)(typed);
    if (needs.length > 0 && !evidence) {
      throw badRequest('pruner', {
        expected: 'data for the statistics that it needs',
        found: 'none',
        fix: 'Give calibration data, or use a pruner that looks at the weights alone, such as magnitude.',
      });
    }
    const { graph } = apply(needs.length > 0 ? await evidence!(typed, needs) : noEvidence); // refused just above
    return masksOf(graph, { asked, keepZeros });
  };

/** The pruner, noting which weights it is asked about. */
function noting(pruner: Pruner, asked: Set<ValueId>): Pruner {
  if (!pruner.score) return pruner; // the driver refuses it
  return {
    ...pruner,
    needs: (graph, targets) => pruner.needs(graph, targets),
    score(target: PruneTarget, evidence) {
      asked.add(target.value);
      return pruner.score(target, evidence);
    },
  };
}

function masksOf(
  pruned: Graph,
  { asked, keepZeros }: { readonly asked: ReadonlySet<ValueId>; readonly keepZeros: boolean },
): Masks {
  const parameters = trainedParameters(pruned);
  const tensors = (of: typeof parameters) => new Map(of.map(({ value, tensor }): [string, Tensor] => [value, tensor]));
  const masks = new Map(keepZeros ? masksOfZeros(tensors(parameters.filter(({ role }) => role === 'weight'))) : []);
  const named = tensors(parameters);
  for (const value of asked) {
    const weight = named.get(value);
    if (weight?.dtype !== 'float32') throw notTrained(value);
    const mask = new Float32Array(weight.data.length);
    for (let i = 0; i < mask.length; i++) mask[i] = weight.data[i] === 0 ? 0 : 1;
    masks.set(value, floats(mask, weight.shape));
  }
  return masks;
}

const notTrained = (value: ValueId) =>
  badRequest(`weight "${value}"`, {
    expected: 'a float32 parameter that training moves, for it is to be pruned while training',
    found: 'one that it does not',
    fix: 'Name it in `ignore`, or prune it before training.',
  });
