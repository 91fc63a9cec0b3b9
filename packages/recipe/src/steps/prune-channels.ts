import { type Graph, type Options, type Outcome, type Pruner, problem, type Resolved } from '@espalier/core';
import { inferShapes } from '@espalier/passes';
import {
  axisRulesOf,
  prepareStructured,
  pruneOptions,
  pruneStructured,
  type StructuredOptions,
  structuredNeeds,
} from '@espalier/pruners';
import { reestimateBatchNorm } from '@espalier/training';
import type { StepContext } from '../step.js';
import { collectEvidence } from './collect-evidence.js';

/** Options of a prune step that only concern whole channels, heads and neurons (`granularity: channel`). */
export const channelOptions = {
  goal: {
    type: 'choice',
    of: ['units', 'parameters', 'macs', 'bytes'],
    default: 'units',
    about: 'with `granularity: channel`, what `sparsity` is the share of',
  },
  multiple: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 256,
    about: 'with `granularity: channel`, widths stay multiples of this; 8 or 16 suit most runtimes',
  },
  minimum: {
    type: 'number',
    default: 1,
    min: 0,
    about: 'with `granularity: channel`, the fewest units left of a group, or the share of them if below 1',
  },
  weights: {
    type: 'choice',
    of: ['all', 'producers', 'batch-norm'],
    default: 'all',
    about: 'with `granularity: channel`, which weights of a unit count for its score',
  },
  reduce: {
    type: 'choice',
    of: ['sum', 'mean', 'max'],
    default: 'sum',
    about: 'with `granularity: channel`, how the scores of its weights become the score of a unit',
  },
  normalizeGroups: {
    type: 'choice',
    of: ['none', 'mean', 'max', 'l2'],
    default: 'mean',
    about: 'with `granularity: channel` and another scope than `layer`, what the scores of a group are divided by',
  },
  statistics: {
    type: 'boolean',
    default: false,
    about: 'with `granularity: channel`, cut through layer and group norms too; the network then needs training',
  },
  reestimate: {
    type: 'boolean',
    default: true,
    about: 'with `granularity: channel`, measure batch norms anew on the calibration data, where it is given',
  },
} as const satisfies Options;

/** Every option of a prune step, resolved. */
export type Written = Omit<Resolved<typeof pruneOptions>, 'scope'> &
  Resolved<typeof channelOptions> & { readonly scope: 'layer' | 'global' | 'isomorphic'; readonly samples: number };

const goals = { units: 'ratio', parameters: 'parameters', macs: 'macs', bytes: 'bytes' } as const;

const weightOnly = {
  normalize: pruneOptions.normalize,
  ops: pruneOptions.ops,
  minimumSize: pruneOptions.minimumSize,
} as const satisfies Options;

/** Options of the other granularity that were written all the same: an option is never ignored. @throws PRUNE_OPTION. */
export function refuseForeignOptions(written: Written, where: string): void {
  const channels = written.granularity === 'channel';
  for (const [name, option] of Object.entries(channels ? weightOnly : channelOptions)) {
    const value = written[name as keyof Written]; // the tables' own names
    if (JSON.stringify(value) === JSON.stringify(option.default)) continue;
    throw problem('PRUNE_OPTION', {
      where: `${where}.with.${name}`,
      expected: `its default beside granularity: ${written.granularity}`,
      found: JSON.stringify(value),
      fix: channels ? 'Remove it: it concerns single weights.' : 'Remove it: it concerns whole channels.',
    });
  }
}

/** Removes whole channels, heads and neurons, then measures the batch norms anew where data is given. */
export async function pruneChannels(
  graph: Graph,
  of: { readonly written: Written; readonly pruner: Pruner; readonly where: string },
  context: StepContext,
): Promise<Outcome> {
  const { written, pruner, where } = of;
  const options: StructuredOptions = {
    pruner,
    goal: { [goals[written.goal]]: written.sparsity } as StructuredOptions['goal'], // one of its four forms
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
  if (!written.reestimate || !context.calibration) return outcome;
  context.progress('re-estimate batch norms');
  return {
    ...outcome,
    graph: await reestimateBatchNorm(outcome.graph, context.calibration.batches(), context.executor),
  };
}

/** With the scope `layer` nothing is compared between groups. @throws PRUNE_OPTION where a normalisation is written. */
function normalizationOf({ scope, normalizeGroups }: Written, where: string): Written['normalizeGroups'] {
  if (scope !== 'layer' || normalizeGroups === channelOptions.normalizeGroups.default) return normalizeGroups;
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
