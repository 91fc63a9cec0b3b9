import type { Resolved } from '@espalier/core';
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
    const wanted = readPruneOptions(written, plugin);
    const evidence = await collectEvidence(typed, pruneNeeds(typed, wanted), { where, context });
    context.progress('prune');
    return prune(typed, wanted, evidence);
  },
};
