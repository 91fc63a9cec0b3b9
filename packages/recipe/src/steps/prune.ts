import {
  currentName,
  findPlugin,
  type Options,
  problem,
  type Reference,
  type Registry,
  readReference,
  resolveReference,
} from '@espalier/core';
import type { OptionVariants, StepKind } from '../step.js';
import { compress } from './compress-step.js';
import { referenceWithOptions } from './reference-with-options.js';

const samples = {
  type: 'integer',
  default: 1024,
  min: 1,
  about:
    'for scores by gradients, the most samples of `data.training` to compute them on; without it, all of `data.calibration`',
} as const satisfies Options[string];

type Written = Readonly<Record<string, unknown>>;

/** Which pruning a granularity names: its id, or an N:M pattern, which is one of `weight`. */
function pruningOf({ granularity = 'weight' }: Written): string {
  const name = String(granularity);
  return /^\d+:\d+$/.test(name) ? 'weight' : name;
}

/** The options of a pruning as they stand in a step, where `use` names the pruner and `granularity` the pruning. */
function tableOf(registry: Registry, id: string): Options {
  const { pruner, ...own } = registry.find('pruning', id).options;
  const about = `\`${id}\`: ${registry.find('pruning', id).about}`;
  return { granularity: { type: 'choice', of: [id], about }, samples, ...own };
}

const variants: OptionVariants = {
  by: 'granularity',
  tables: (registry) => new Map(registry.ids('pruning').map((id) => [id, tableOf(registry, id)])),
  chosen(registry, { reference, where }) {
    const use = pruningOf(readReference(reference, where).given);
    findPlugin(registry, { kind: 'pruning', use, where: `${where}.with.granularity` });
    refuseOthers(registry, { reference, where, use });
    return tableOf(registry, use);
  },
};

/** `prune: ID`: a pruner scores, and the pruning that `granularity` names says what is pruned together. */
export const pruneStep: StepKind = {
  kind: 'pruner',
  options: {},
  variants,
  async run(graph, { reference, where }, context) {
    const { registry, seed } = context;
    const driver = variants.chosen(registry, { reference, where });
    const {
      plugin: pruner,
      options,
      written,
    } = referenceWithOptions(registry, {
      kind: 'pruner',
      driver,
      reference,
      where,
      seed,
    });
    const use = pruningOf(written);
    const table = registry.find('pruning', use).options;
    const own = Object.fromEntries(Object.entries(written).filter(([name]) => Object.hasOwn(table, name)));
    const pruning = resolveReference(registry, {
      kind: 'pruning',
      reference: { use, with: own },
      where,
      made: table['pruner'] ? { pruner } : {},
    });
    const most = options['samples'] as number; // resolved from the table above
    return compress(graph, pruning, { where, stage: 'prune', context, samples: most });
  },
};

/** Options that another granularity has. @throws OPTION_CONFLICT that says which. */
function refuseOthers(
  registry: Registry,
  { reference, where, use }: { readonly reference: Reference; readonly where: string; readonly use: string },
): void {
  const { use: pruner, given } = readReference(reference, where);
  const known = { ...findPlugin(registry, { kind: 'pruner', use: pruner, where }).options, ...tableOf(registry, use) };
  for (const name of Object.keys(given)) {
    if (currentName(known, name) !== undefined) continue;
    const others = registry
      .ids('pruning')
      .filter((id) => name !== 'pruner' && currentName(tableOf(registry, id), name) !== undefined);
    if (others.length === 0) continue;
    throw problem('OPTION_CONFLICT', {
      where: `${where}.with.${name}`,
      expected: `granularity: ${others.join(' or ')} for this option`,
      found: `granularity: ${String(given['granularity'] ?? use)}`,
      fix: 'Remove it, or change granularity.',
    });
  }
}
