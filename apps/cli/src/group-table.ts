import { formatCount, textTable } from '@espalier/analysis';
import type { Graph, Registry } from '@espalier/core';
import { axisRulesOf, parametersOf } from '@espalier/ops';
import { coupled, type Group, prepareStructured } from '@espalier/pruners';
import { shortText } from './number-text.js';

/** One group of units that can only be removed together, as plain JSON. */
export interface GroupRow {
  readonly id: string;
  readonly units: number;
  /** Parameters that go with one unit; those at a crossing of two groups count for both. */
  readonly parametersPerUnit: number;
  /** The constants that lose slices, with the axis and the indices per unit. */
  readonly members: readonly { readonly value: string; readonly axis: number; readonly each: number }[];
  readonly prunable: boolean;
  readonly reason: string | null;
  readonly changesStatistics: boolean;
}

/** The groups of a model, and how much of it they hold. */
export interface GroupTable {
  readonly groups: readonly GroupRow[];
  /** Parameters of the model, those that are in groups which can be cut, and those that need training afterwards. */
  readonly parameters: { readonly all: number; readonly prunable: number; readonly withStatistics: number };
}

/** The groups of a model as pruning sees it, with the axis rules of the plugins of a registry; `all` are its parameters. */
export function groupTable(graph: Graph, registry: Registry, all: number): GroupTable {
  const ready = prepareStructured(graph);
  const { groups } = coupled(ready, { rules: axisRulesOf(registry) });
  const held = (of: readonly Group[]) => {
    // Readers of one vector have copies of it there, which share their elements: each counts once.
    const touched = of.flatMap(({ slices }) => slices.map(({ value }) => value));
    const once = new Map(touched.map((value) => [ready.constants.get(value), value]));
    return [...once.values()].reduce((sum, value) => sum + parametersOf(ready, value), 0);
  };
  const prunable = groups.filter((group) => group.prunable);
  return {
    groups: groups.map((group) => rowOf(ready, group)),
    parameters: {
      all,
      prunable: held(prunable.filter(({ changesStatistics }) => !changesStatistics)),
      withStatistics: held(prunable),
    },
  };
}

function rowOf(graph: Graph, { id, units, slices, prunable, reason, changesStatistics = false }: Group): GroupRow {
  const perUnit = slices.reduce((sum, { value, axis, each }) => {
    const { shape } = graph.constants.get(value)!; // slices are of constants
    return sum + (each * parametersOf(graph, value)) / shape[axis]!;
  }, 0);
  return {
    id,
    units,
    parametersPerUnit: perUnit,
    members: slices.map(({ value, axis, each }) => ({ value, axis, each })),
    prunable,
    reason: reason ?? null,
    changesStatistics,
  };
}

const mostRows = 60;

/** Groups as two tables: what can be removed together, and what cannot go and why. */
export function groupText(
  { groups, parameters: { all, prunable, withStatistics } }: GroupTable,
  most = mostRows,
): string {
  const exact = groups.filter((group) => group.prunable && !group.changesStatistics);
  const trained = groups.filter((group) => group.prunable && group.changesStatistics);
  const fixed = groups.filter((group) => !group.prunable);
  const share = (count: number) => `${((100 * count) / Math.max(1, all)).toFixed(1)} %`;
  const head = [
    `${exact.length} of ${groups.length} groups can lose units; they hold ${share(prunable)} of ${formatCount(all)} parameters`,
    ...(trained.length > 0
      ? [`${trained.length} more after which to train (\`statistics\`), ${share(withStatistics)} in all`]
      : []),
  ];
  return [head.join('\n'), removable([...exact, ...trained], most), left(fixed, most)].filter(Boolean).join('\n\n');
}

function removable(groups: readonly GroupRow[], most: number): string {
  if (groups.length === 0) return '';
  const worth = (group: GroupRow) => group.units * group.parametersPerUnit;
  const shown = new Set([...groups].sort((a, b) => worth(b) - worth(a)).slice(0, most));
  const rows = groups
    .filter((group) => shown.has(group))
    .map(({ id, units, parametersPerUnit, members, changesStatistics }) => [
      shortText(id),
      String(units),
      formatCount(parametersPerUnit),
      changesStatistics ? 'after training' : 'yes',
      membersText(members),
    ]);
  const columns = [
    { title: 'group' },
    { title: 'units', align: 'right' as const },
    { title: 'each', align: 'right' as const },
    { title: 'removable' },
    { title: 'members' },
  ];
  return [textTable(columns, rows), ...more(groups.length - rows.length)].join('\n');
}

function left(groups: readonly GroupRow[], most: number): string {
  if (groups.length === 0) return '';
  const rows = groups
    .slice(0, most)
    .map(({ id, units, reason }) => [shortText(id), String(units), reason ?? 'for a reason that is not known']);
  const columns = [{ title: 'cannot lose units' }, { title: 'units', align: 'right' as const }, { title: 'because' }];
  return [textTable(columns, rows), ...more(groups.length - rows.length)].join('\n');
}

const more = (count: number): readonly string[] =>
  count > 0 ? [`and ${count} more (--layers lists all, --json has every member)`] : [];

const mostMembers = 4;

function membersText(members: GroupRow['members']): string {
  const named = members
    .slice(0, mostMembers)
    .map(({ value, axis, each }) => `${shortText(value, 28)}/${axis}${each > 1 ? `\u00d7${each}` : ''}`);
  const rest = members.length - named.length;
  return `${named.join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
