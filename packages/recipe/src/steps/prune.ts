import { compress } from './compress-step.js';
import { defineStep } from './define-step.js';
import { secondPlugin } from './second-plugin.js';

/** `prune: ID`: a pruner scores, and the pruning that `granularity` names says what is pruned together. */
export const pruneStep = defineStep({
  kind: 'pruner',
  options: {
    samples: {
      type: 'integer',
      default: 1024,
      min: 1,
      about:
        'for scores by gradients, the most samples of `data.training` to compute them on; without it, all of `data.calibration`',
    },
  },
  into: secondPlugin({
    kind: 'pruning',
    by: 'granularity',
    takes: 'pruner',
    idOf: (granularity = 'weight') => (/^\d+:\d+$/.test(granularity) ? 'weight' : granularity), // N:M is one of weights
  }),
  run: (graph, { made, options: { samples }, ...work }) => compress(graph, made, { ...work, stage: 'prune', samples }),
});
