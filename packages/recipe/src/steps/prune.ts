import { problem, type Resolved } from '@espalier/core';
import { inferShapes } from '@espalier/passes';
import { prune, pruneNeeds, pruneOptions, readPruneOptions } from '@espalier/pruners';
import type { StepKind } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { channelOptions, pruneChannels, refuseForeignOptions } from './prune-channels.js';
import { referenceWithOptions } from './reference-with-options.js';

const options = {
  ...pruneOptions,
  granularity: {
    ...pruneOptions.granularity,
    about:
      '`weight`, N:M such as `2:4` (2 of every 4 input channels are kept), or `channel`: whole channels are removed',
  },
  scope: {
    ...pruneOptions.scope,
    of: ['layer', 'global', 'isomorphic'],
    about:
      'whether every layer gets the sparsity, or all of them together; with `granularity: channel` also `isomorphic`: all layers of the same structure together',
  },
  samples: {
    type: 'integer',
    default: 1024,
    min: 1,
    about:
      'for scores by gradients, the most samples of `data.training` to take them on; without it, all of `data.calibration`',
  },
  ...channelOptions,
} as const;

/** `prune: ID`: the pruner scores, the driver's own options say how much goes and where. */
export const pruneStep: StepKind = {
  kind: 'pruner',
  options,
  async run(graph, { reference, where }, context) {
    const { plugin, options: resolved } = referenceWithOptions(context.registry, {
      kind: 'pruner',
      driver: options,
      reference,
      where,
      seed: context.seed,
    });
    const written = resolved as Resolved<typeof options>; // resolved from this very table
    refuseForeignOptions(written, where);
    if (written.granularity === 'channel') return pruneChannels(graph, { written, pruner: plugin, where }, context);
    const typed = inferShapes(graph);
    const { scope, samples } = written;
    if (scope === 'isomorphic') {
      throw problem('PRUNE_OPTION', {
        where: `${where}.with.scope`,
        expected: `layer or global beside granularity: ${written.granularity}`,
        found: scope,
        fix: 'Structures are compared with granularity: channel.',
      });
    }
    const wanted = readPruneOptions({ ...written, scope }, plugin);
    const evidence = await collectEvidence(typed, pruneNeeds(typed, wanted), { where, context, samples });
    context.progress('prune');
    return prune(typed, wanted, evidence);
  },
};
