import { type Graph, type Outcome, type Pruner, problem } from '@espalier/core';
import { axisRulesOf, inferShapes } from '@espalier/ops';
import {
  prepareStructured,
  pruneStructured,
  reconstruct,
  type StructuredOptions,
  type StructuredOutcome,
  structuredNeeds,
} from '@espalier/pruners';
import type { StepContext } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { goalOf, pruneStepOptions, type Written } from './prune-step-options.js';
import { reestimated } from './reestimated.js';

/**
 * Removes whole channels, neurons or heads; if data is given, it then refits layers that lost inputs. Without
 * that, or if the options say so, it recomputes batch norms.
 */
export async function pruneChannels(
  graph: Graph,
  of: { readonly written: Written; readonly pruner: Pruner; readonly where: string },
  context: StepContext,
): Promise<Outcome> {
  const { written, pruner, where } = of;
  const options: StructuredOptions = {
    pruner,
    goal: goalOf(written),
    units: unitsOf(written.granularity),
    scope: written.scope === 'layer' ? 'local' : written.scope,
    normalize: normalizationOf(written, where),
    multiple: written.multiple,
    minimum: written.minimum,
    weights: written.weights,
    reduce: written.reduce,
    statistics: written.statistics,
    rules: axisRulesOf(context.registry),
    ...(written.only.length ? { only: written.only } : {}),
    ignore: written.ignore,
    overrides: Object.fromEntries(written.overrides.map((text) => readShare(text, where))),
  };
  const ready = prepareStructured(inferShapes(graph));
  const { samples } = written;
  const evidence = await collectEvidence(ready, structuredNeeds(ready, options), { where, context, samples });
  context.progress('prune');
  const outcome = pruneStructured(ready, options, evidence);
  const fitted = written.reconstruct ? await reconstructed(outcome, context) : outcome;
  const again = written.reestimate === 'auto' ? !written.reconstruct : written.reestimate === 'always';
  return again ? reestimated(fitted, context) : fitted;
}

const unitsOf = (granularity: string): NonNullable<StructuredOptions['units']> =>
  granularity === 'head' ? 'heads' : granularity === 'head-dimension' ? granularity : 'all';

async function reconstructed(outcome: StructuredOutcome, context: StepContext): Promise<Outcome> {
  const { calibration, executor } = context;
  if (!calibration) return outcome;
  const { graph, notes } = await reconstruct(outcome, {
    executor,
    batches: calibration.batches,
    total: calibration.samples,
    progress: (done, message) => context.progress('reconstruct', done, message),
  });
  return { graph, notes: [...outcome.notes, ...notes] };
}

/** With the scope `layer` nothing is compared between groups. @throws PRUNE_OPTION where a normalisation is written. */
function normalizationOf({ scope, normalizeGroups }: Written, where: string): Written['normalizeGroups'] {
  if (scope !== 'layer' || normalizeGroups === pruneStepOptions.normalizeGroups.default) return normalizeGroups;
  throw problem('PRUNE_OPTION', {
    where: `${where}.with.normalizeGroups`,
    expected: 'nothing beside scope: layer',
    found: normalizeGroups,
    fix: 'Remove it, or choose scope: global or isomorphic.',
  });
}

function readShare(text: string, where: string): readonly [string, number] {
  const at = text.lastIndexOf('=');
  const share = Number(text.slice(at + 1));
  if (at > 0 && at < text.length - 1 && share >= 0 && share <= 1) return [text.slice(0, at), share];
  throw problem('PRUNE_OVERRIDE', {
    where: `${where}.with.overrides`,
    expected: 'PATTERN=SHARE with a share from 0 to 1, such as `layer1.*=0.25`',
    found: `"${text}"`,
  });
}
