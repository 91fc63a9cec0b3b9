import { reestimateBatchNorm } from '@espalier/calibration';
import {
  type Compressed,
  type Compressor,
  type Evidence,
  type Note,
  type RefineRun,
  type Selection,
  select,
  usesOf,
} from '@espalier/core';
import { evidenceNotes } from '../evidence-notes.js';
import { chooseUnits } from './choose-units.js';
import { costModel } from './cost-model.js';
import { type CoupledGraph, coupled } from './coupled.js';
import { cut } from './cut.js';
import type { Group } from './group.js';
import { kindsOfGroups } from './kinds-of-groups.js';
import { prepareStructured } from './prepare-structured.js';
import { type CutGraph, reconstruct } from './reconstruct/reconstruct.js';
import { scoreUnits, unitNeeds } from './score-units.js';
import { costNote, keptNote, removedNote } from './unit-notes.js';
import type { UnitGranularity, UnitOptions } from './unit-options.js';

/**
 * Removes the units with the lowest scores: the written network is smaller. What shapes are computed with is folded
 * first, losslessly; batch norms stay. The notes say for each group what became of it, and why others were left.
 * With data, layers that lost inputs are then fitted, or batch norms measured again.
 */
export const pruneUnits =
  (granularity: UnitGranularity, options: UnitOptions): Compressor =>
  (graph, { axes } = {}) => {
    const net = coupled(prepareStructured(graph), {
      ...(granularity === 'head-dimension' ? { attention: granularity } : {}),
      ...(axes ? { rules: axes } : {}),
    });
    const plan: UnitPlan = { net, options, ...sortGroups(net, granularity, options) };
    return {
      graph: net.graph,
      needs: unitNeeds(net, plan.chosen, options),
      apply: (evidence) => removeUnits(plan, evidence),
    };
  };

interface Sorted {
  readonly chosen: readonly Group[];
  readonly fixed: ReadonlyMap<Group, number>;
  readonly notes: readonly Note[];
}

interface UnitPlan extends Sorted {
  readonly net: CoupledGraph;
  readonly options: UnitOptions;
}

/** @throws PRUNE_SCORES, PRUNE_OPTION, PRUNE_EVIDENCE. */
function removeUnits({ net, chosen, fixed, notes, options }: UnitPlan, evidence: Evidence): Compressed {
  const { graph } = net;
  const scores = scoreUnits(net, chosen, options, evidence);
  const scored = [...scores.keys()];
  const cost = costModel(net);
  const removals = chooseUnits(scores, cost, { ...options, fixed, kinds: kindsOfGroups(graph, scored) });
  const after = cost(new Map([...removals].map(([id, units]) => [id, units.length])));
  const small = cut(net, removals);
  const unscored = chosen.filter((group) => !scores.has(group));
  return {
    graph: small,
    notes: [
      ...scored.map((group) => removedNote(graph, group, removals)),
      ...unscored.map((group) =>
        keptNote(graph, group, 'No weight of it counts for the scores, or the pruner cannot judge it.'),
      ),
      ...notes,
      ...evidenceNotes(evidence),
      costNote(cost(new Map()), after),
    ],
    ...refinement({ net, graph: small, removals }, options),
  };
}

/** Fits layers that lost inputs. Without that, or on request, batch norms are measured again. */
function refinement(
  made: CutGraph,
  { reconstruct: fits, reestimate }: Pick<UnitOptions, 'reconstruct' | 'reestimate'>,
): Pick<Compressed, 'refine'> {
  const measures = reestimate === 'auto' ? !fits : reestimate === 'always';
  if (!fits && !measures) return {};
  return {
    async refine(run: RefineRun) {
      const fitted = fits ? await reconstruct(made, run) : { graph: made.graph, notes: [] };
      if (!measures) return fitted;
      return { ...fitted, graph: await reestimateBatchNorm(fitted.graph, run.batches(), run.executor) };
    },
  };
}

/** Which groups take part, which have shares of their own, and why the others are left. */
function sortGroups({ graph, groups }: CoupledGraph, granularity: UnitGranularity, options: UnitOptions): Sorted {
  const selection = select(options);
  const chosen: Group[] = [];
  const notes: Note[] = [];
  const fixed = new Map<Group, number>();
  const all = new Set<string>();
  for (const group of groups) {
    const names = namesOf(group, (value) => usesOf(graph, value).map(({ node }) => node.id));
    for (const name of names) all.add(name);
    const left = whyLeft(group, names, { selection, granularity, statistics: options.statistics });
    const share = selection.override(names);
    if (left !== undefined) notes.push(keptNote(graph, group, left));
    else {
      chosen.push(group);
      if (share !== undefined) fixed.set(group, share);
    }
  }
  return { chosen, fixed, notes: [...notes, ...selection.unmatched([...all], 'a group')] };
}

interface Wanted {
  readonly selection: Selection<number>;
  readonly granularity: UnitGranularity;
  readonly statistics: boolean;
}

function whyLeft(
  group: Group,
  names: readonly string[],
  { selection, granularity, statistics }: Wanted,
): string | undefined {
  if (!group.prunable) return `It cannot be cut: ${group.reason}.`;
  if (granularity === 'head' && group.attention !== 'head') return 'It is no group of attention heads.';
  if (granularity === 'head-dimension' && group.attention !== 'head-dimension')
    return 'It is no dimension of attention heads.';
  const left = selection.leftOut(names);
  if (left !== undefined) return left;
  if (group.changesStatistics && !statistics) {
    return 'A mean or variance is taken over it, which cutting changes; ask for it with `statistics`.';
  }
  return undefined;
}

/** The group's id, and the weights that make its units with the nodes that read them. */
function namesOf({ id, slices }: Group, readersOf: (value: string) => readonly string[]): readonly string[] {
  const values = slices.filter(({ role }) => role === 'produces').map(({ value }) => value);
  return [id, ...values, ...values.flatMap(readersOf)];
}
