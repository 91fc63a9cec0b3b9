import type { Options, Resolved } from '@espalier/core';
import { unitOptions } from '../structured/unit-options.js';

/** Options of the pruning that removes residual branches. */
export const layerOptions = {
  pruner: {
    type: 'plugin',
    kind: 'pruner',
    default: 'magnitude',
    about: 'the scores of weights, for `measure: sum` or `mean`',
  },
  sparsity: unitOptions.sparsity,
  goal: { ...unitOptions.goal, about: 'what `sparsity` is the share of; units are residual branches' },
  measure: {
    type: 'choice',
    of: ['auto', 'influence', 'change', 'sum', 'mean'],
    default: 'auto',
    about:
      'what a branch is worth: how much it turns (`influence`) or changes its input on the calibration data, or the sum or mean of the scores of its weights; `auto` is `influence` where data is given, else `mean`',
  },
  only: {
    type: 'texts',
    default: [],
    about: 'patterns of branches or weight names to remove (* and ?); empty for all',
  },
  ignore: { type: 'texts', default: [], about: 'patterns of branches or weight names to leave (* and ?)' },
  reestimate: {
    type: 'choice',
    of: ['auto', 'always', 'never'],
    default: 'auto',
    about: 'whether batch norms are measured again on the calibration data, where it is given; `auto`: they are',
  },
} as const satisfies Options;

/** Options of the pruning that removes residual branches, with every default filled in. */
export type LayerOptions = Resolved<typeof layerOptions>;
