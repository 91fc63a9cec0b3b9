import { type Graph, type Outcome, type Pruner, problem } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { prune, pruneNeeds, readPruneOptions } from '@espalier/pruners';
import type { StepContext, StepKind } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { pruneChannels } from './prune-channels.js';
import { pruneBranches } from './prune-layers.js';
import { kindOf, pruneStepOptions, refuseForeignOptions, type Written } from './prune-step-options.js';
import { referenceWithOptions } from './reference-with-options.js';

interface PruneStep {
  readonly written: Written;
  readonly pruner: Pruner;
  readonly where: string;
}

/** The runner of each kind of granularity. */
const runs = {
  weight: pruneWeights,
  unit: pruneChannels,
  layer: pruneBranches,
} as const satisfies Record<ReturnType<typeof kindOf>, unknown>;

/** `prune: ID`: the pruner scores, the driver's own options say how much goes and where. */
export const pruneStep: StepKind = {
  kind: 'pruner',
  options: pruneStepOptions,
  check(options, { where }) {
    checkWritten(options as Written, where); // resolved from this very table
  },
  async run(graph, { reference, where }, context) {
    const { plugin, options } = referenceWithOptions(context.registry, {
      kind: 'pruner',
      driver: pruneStepOptions,
      reference,
      where,
      seed: context.seed,
    });
    const written = options as Written; // resolved from this very table
    checkWritten(written, where);
    return runs[kindOf(written.granularity)](graph, { written, pruner: plugin, where }, context);
  },
};

/** Options that are each valid, but not together. @throws PRUNE_OPTION. */
function checkWritten(written: Written, where: string): void {
  refuseForeignOptions(written, where);
  if (kindOf(written.granularity) === 'weight' && written.scope === 'isomorphic') throw noStructures(written, where);
}

const noStructures = ({ granularity, scope }: Written, where: string) =>
  problem('PRUNE_OPTION', {
    where: `${where}.with.scope`,
    expected: `layer or global beside granularity: ${granularity}`,
    found: scope,
    fix: 'Structures are compared with granularity: channel.',
  });

async function pruneWeights(
  graph: Graph,
  { written, pruner, where }: PruneStep,
  context: StepContext,
): Promise<Outcome> {
  const typed = inferShapes(graph);
  const { scope, samples } = written;
  if (scope === 'isomorphic') throw noStructures(written, where); // checkWritten said so already; the compiler cannot know
  const wanted = readPruneOptions({ ...written, scope }, pruner);
  const evidence = await collectEvidence(typed, pruneNeeds(typed, wanted), { where, context, samples });
  context.progress('prune');
  return prune(typed, wanted, evidence);
}
