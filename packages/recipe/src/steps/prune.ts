import { inferShapes } from '@espalier/passes';
import { prune, pruneNeeds, pruneOptions, readPruneOptions, type WrittenPruneOptions } from '@espalier/pruners';
import type { StepKind } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { referenceWithOptions } from './reference-with-options.js';

/** `prune: ID`: the pruner scores, the driver's own options say how much goes and where. */
export const pruneStep: StepKind = {
  kind: 'pruner',
  options: pruneOptions,
  async run(graph, { reference, where }, context) {
    const { plugin, options } = referenceWithOptions(context.registry, {
      kind: 'pruner',
      driver: pruneOptions,
      reference,
      where,
      seed: context.seed,
    });
    const typed = inferShapes(graph);
    const wanted = readPruneOptions(options as unknown as WrittenPruneOptions, plugin); // resolved from the driver's own table
    const evidence = await collectEvidence(typed, pruneNeeds(typed, wanted), { where, context });
    context.progress('prune');
    return prune(typed, wanted, evidence);
  },
};
