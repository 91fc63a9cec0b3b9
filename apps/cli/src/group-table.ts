import { textTable } from '@espalier/analysis';
import type { Graph } from '@espalier/core';
import { foldConstants, inferShapes, inOrder, normalizeGemm, removeIdentity, untilStable } from '@espalier/passes';
import { groupsOf } from '@espalier/pruners';
import { shortText } from './number-text.js';

/** One group of units that can only be removed together, as plain JSON. */
export interface GroupRow {
  readonly id: string;
  readonly units: number;
  /** The constants that lose slices, with the axis and the indices per unit. */
  readonly members: readonly { readonly value: string; readonly axis: number; readonly each: number }[];
  readonly prunable: boolean;
  readonly reason: string | null;
  readonly changesStatistics: boolean;
}

const rounds = inOrder(inferShapes, foldConstants, removeIdentity, normalizeGemm);

/** The groups of a model, after the constants that its shapes are computed with are folded. */
export function groupTable(graph: Graph): readonly GroupRow[] {
  const ready = untilStable(rounds, { name: 'groups', limit: graph.nodes.length + 20 })(graph);
  return groupsOf(ready).map(({ id, units, slices, prunable, reason, changesStatistics = false }) => ({
    id,
    units,
    members: slices.map(({ value, axis, each }) => ({ value, axis, each })),
    prunable,
    reason: reason ?? null,
    changesStatistics,
  }));
}

/** Groups as a table: what goes together, and what cannot go and why. */
export function groupText(groups: readonly GroupRow[]): string {
  const columns = [
    { title: 'group' },
    { title: 'units', align: 'right' as const },
    { title: 'members' },
    { title: 'removable' },
  ];
  const rows = groups.map(({ id, units, members, prunable, reason, changesStatistics }) => [
    shortText(id),
    String(units),
    shortText(members.map(({ value, axis }) => `${value}/${axis}`).join(' '), 72),
    prunable ? (changesStatistics ? 'after training: a norm is taken over it' : 'yes') : `no: ${reason ?? 'unknown'}`,
  ]);
  return textTable(columns, rows);
}
