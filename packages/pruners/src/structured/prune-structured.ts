import {
  type Evidence,
  type Graph,
  matchNames,
  type Need,
  type Note,
  noEvidence,
  type Outcome,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { badGoal } from '../errors.js';
import { evidenceNotes } from '../evidence-notes.js';
import { chooseUnits } from './choose-units.js';
import { type Cost, costModel } from './cost-model.js';
import { cut } from './cut.js';
import type { Group, GroupOptions } from './group.js';
import { groupsOf } from './groups-of.js';
import { kindsOfGroups } from './kinds-of-groups.js';
import { prepareStructured } from './prepare-structured.js';
import type { Removals } from './removal.js';
import { scoreUnits, unitNeeds } from './score-units.js';
import type { StructuredOptions } from './structured-options.js';

/** The smaller graph, and what it was cut from. */
export interface StructuredOutcome extends Outcome {
  /** The graph that was cut: the one given, with what shapes are computed with folded. */
  readonly before: Graph;
  readonly removals: Removals;
  /** The options that the groups were found with. */
  readonly groups: GroupOptions;
}

/** The statistics that calibration must collect on `prepareStructured(graph)` before `pruneStructured` with the same options. */
export function structuredNeeds(graph: Graph, options: StructuredOptions): readonly Need[] {
  const ready = prepareStructured(graph);
  const ways = groupOptions(options);
  const { chosen } = sortGroups(ready, groupsOf(ready, ways), options);
  return unitNeeds(ready, chosen, { ...options, ...ways });
}

/**
 * Removes the units (channels, heads, neurons) with the lowest scores: the written network is smaller. What the
 * shapes are computed with is folded first, losslessly; batch norms stay. The notes say for each group what became of
 * it, and why the others were left.
 * @throws PRUNE_GOAL, PRUNE_SCORES, PRUNE_OPTION, PRUNE_EVIDENCE.
 */
export function pruneStructured(
  graph: Graph,
  options: StructuredOptions,
  evidence: Evidence = noEvidence,
): StructuredOutcome {
  const ready = prepareStructured(graph);
  const ways = groupOptions(options);
  const { chosen, fixed, notes } = sortGroups(ready, groupsOf(ready, ways), options);
  const scores = scoreUnits(ready, chosen, { ...options, ...ways }, evidence);
  const scored = [...scores.keys()];
  const cost = costModel(ready, ways);
  const removals = chooseUnits(scores, cost, { ...options, fixed, kinds: kindsOfGroups(ready, scored) });
  const after = cost(new Map([...removals].map(([id, units]) => [id, units.length])));
  const unscored = chosen.filter((group) => !scores.has(group));
  return {
    graph: cut(ready, removals, ways),
    before: ready,
    removals,
    groups: ways,
    notes: [
      ...scored.map((group) => outcomeOf(ready, group, removals)),
      ...unscored.map((group) =>
        keptNote(ready, group, 'No weight of it counts for the scores, or the pruner cannot judge it.'),
      ),
      ...notes,
      ...evidenceNotes(evidence),
      summary(cost(new Map()), after),
    ],
  };
}

/** The group options that follow from these options. */
const groupOptions = ({ units, rules }: StructuredOptions): GroupOptions => ({
  ...(units === 'head-dimension' ? { attention: units } : {}),
  ...(rules ? { rules } : {}),
});

interface Sorted {
  readonly chosen: readonly Group[];
  readonly fixed: ReadonlyMap<Group, number>;
  readonly notes: readonly Note[];
}

/** Which groups take part, which have shares of their own, and why the others are left. */
function sortGroups(graph: Graph, groups: readonly Group[], options: StructuredOptions): Sorted {
  const { only = [], ignore = [], overrides = {}, statistics = false, units = 'all' } = options;
  const chosen: Group[] = [];
  const notes: Note[] = [];
  const fixed = new Map<Group, number>();
  const shares = Object.entries(overrides).map(([pattern, share]) => {
    if (!(share >= 0 && share <= 1)) throw badGoal(`overrides["${pattern}"]`, share);
    return { pattern, matches: matchNames([pattern]), share };
  });
  const used = new Set<string>();
  for (const group of groups) {
    const names = namesOf(graph, group);
    const share = shares.findLast(({ matches }) => names.some(matches));
    for (const { pattern, matches } of shares) if (names.some(matches)) used.add(pattern);
    const left = whyLeft(group, names, { only, ignore, statistics, units });
    if (left === undefined) {
      chosen.push(group);
      if (share) fixed.set(group, share.share);
    } else notes.push(keptNote(graph, group, left));
  }
  for (const { pattern } of shares) {
    if (!used.has(pattern)) notes.push({ outcome: 'warning', reason: `The override "${pattern}" matches no group.` });
  }
  return { chosen, fixed, notes };
}

function whyLeft(
  group: Group,
  names: readonly string[],
  { only, ignore, statistics, units }: Required<Pick<StructuredOptions, 'only' | 'ignore' | 'statistics' | 'units'>>,
): string | undefined {
  if (!group.prunable) return `It cannot be cut: ${group.reason}.`;
  if (units === 'heads' && group.attention !== 'head') return 'It is no group of attention heads.';
  if (units === 'head-dimension' && group.attention !== 'dimension') return 'It is no dimension of attention heads.';
  if (only.length > 0 && !names.some(matchNames(only))) return 'It is not among the groups to prune.';
  if (names.some(matchNames(ignore))) return 'It is among the groups to leave.';
  if (group.changesStatistics && !statistics) {
    return 'A mean or variance is taken over it, which cutting changes; ask for it with `statistics`.';
  }
  return undefined;
}

/** The group's id, and the weights that make its units with the nodes that read them. */
function namesOf(graph: Graph, { id, slices }: Group): readonly string[] {
  const values = slices.filter(({ role }) => role === 'produces').map(({ value }) => value);
  return [id, ...values, ...values.flatMap((value) => usesOf(graph, value).map(({ node }) => node.id))];
}

const producerOf = ({ slices }: Group): ValueId => slices[0]!.value; // a group has a slice, what makes it first

function keptNote(graph: Graph, group: Group, reason: string): Note {
  const value = producerOf(group);
  const node = usesOf(graph, value)[0]?.node;
  const details = detailsOf(graph, group);
  return { ...(node ? { node: node.id, op: node.op } : {}), value, outcome: 'kept', reason, details };
}

/** The facts about a group in a report: its units, the number of indices of its first weight per unit, and the layers that produce it. */
function detailsOf(graph: Graph, { id, units, slices, attention }: Group) {
  const makers = slices.filter(
    ({ value, role }) => role === 'produces' && graph.constants.get(value)!.shape.filter((size) => size > 1).length > 1,
  );
  const layers = new Set(makers.flatMap(({ value }) => usesOf(graph, value).map(({ node }) => node.id)));
  return { group: id, units, each: slices[0]!.each, layers: [...layers], ...(attention ? { attention } : {}) };
}

function outcomeOf(graph: Graph, group: Group, removals: Removals): Note {
  const before = group.units;
  const removed = removals.get(group.id)?.length ?? 0;
  const weights = new Set(group.slices.map(({ value }) => value)).size;
  const reason = `${removed} of ${before} units removed, from ${weights} constants.`;
  const details = {
    ...detailsOf(graph, group),
    before,
    after: before - removed,
  };
  return { ...keptNote(graph, group, reason), outcome: removed > 0 ? 'pruned' : 'kept', details };
}

function summary(before: Cost, after: Cost): Note {
  const share = (kind: keyof Cost) => (before[kind] > 0 ? 1 - after[kind] / before[kind] : 0);
  const text = (kind: keyof Cost) => `${(100 * share(kind)).toFixed(1)} %`;
  return {
    outcome: share('parameters') > 0 ? 'pruned' : 'warning',
    reason:
      share('parameters') > 0
        ? `${text('parameters')} of the parameters and ${text('macs')} of the multiply-adds are gone.`
        : 'Nothing was removed.',
    details: {
      parameters: { before: before.parameters, after: after.parameters },
      macsRemoved: share('macs'),
    },
  };
}
