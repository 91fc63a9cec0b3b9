import { definePlugin } from '@espalier/core';
import { pruneOptions, readPruneOptions } from '../prune-options.js';
import { pruneWeights } from '../prune-weights.js';

/** Sets single weights to zero, or all but N of every M neighbours. */
export const weightPruning = /* @__PURE__ */ definePlugin({
  kind: 'pruning',
  id: 'weight',
  about: 'Sets single weights to zero, or all but N of every M neighbours: the network keeps its shape.',
  options: {
    pruner: { type: 'plugin', kind: 'pruner', default: 'magnitude', about: 'the scores of weights' },
    ...pruneOptions,
  },
  create: ({ pruner, ...written }) => pruneWeights(readPruneOptions(written, pruner)),
});
