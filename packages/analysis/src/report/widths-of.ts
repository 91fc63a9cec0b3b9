import type { Note } from '@espalier/core';
import type { CompressReport, ReportLayer } from './compress-report.js';

/** A number before and after; null where it is not known. */
export interface BeforeAfter<T = number> {
  readonly before: T;
  readonly after: T;
}

/** The change of the units of one group. */
export interface WidthRow {
  readonly group: string;
  /** The layer that makes the units, and its op. */
  readonly node: string | null;
  readonly op: string | null;
  /** The kind of unit. */
  readonly unit: 'channel' | 'head' | 'dimension';
  /** Channels of the layer that a unit is: those of a head, say. */
  readonly each: number;
  readonly units: BeforeAfter;
  /** The number of layers that produce the same units, one after the other or side by side. */
  readonly layers: number;
  /** Weights and multiply-accumulates of those layers. */
  readonly parameters: BeforeAfter;
  readonly macs: BeforeAfter<number | null>;
}

/** A group that lost nothing, and why. */
export interface KeptGroup {
  readonly group: string;
  readonly units: number;
  readonly reason: string;
}

/** The widths of a network before and after channels were removed. */
export interface Widths {
  readonly groups: readonly WidthRow[];
  readonly kept: readonly KeptGroup[];
}

/**
 * Gathers from the notes of all prune steps what became of each group: its width before the first step and after the
 * last, and the cost of the layers that make its units. Null when no step removed channels.
 */
export function widthsOf({ steps, layers }: Pick<CompressReport, 'steps' | 'layers'>): Widths | null {
  const facts = new Map<string, GroupFacts>();
  for (const { notes } of steps) for (const note of notes) gather(note, facts);
  const named = new Map(layers.map((layer) => [layer.node, layer]));
  const groups: WidthRow[] = [];
  const kept: KeptGroup[] = [];
  for (const [group, { note, details, before, after }] of facts) {
    if (before === undefined || after === undefined || before === after) {
      kept.push({ group, units: details.units, reason: note.reason });
      continue;
    }
    const makers = (details.layers ?? []).flatMap((id) => named.get(id) ?? []);
    groups.push({
      group,
      node: note.node ?? null,
      op: note.op ?? null,
      unit: details.attention ?? 'channel',
      each: details.each ?? 1,
      units: { before, after },
      layers: makers.length,
      parameters: totals(makers, ({ parameters }) => parameters),
      macs: { before: null, after: null, ...macsOf(makers) },
    });
  }
  return facts.size > 0 && groups.length > 0 ? { groups, kept } : null;
}

interface Details {
  readonly group: string;
  readonly units: number;
  readonly each?: number;
  readonly layers?: readonly string[];
  readonly attention?: 'head' | 'dimension';
  readonly before?: number;
  readonly after?: number;
}

interface GroupFacts {
  readonly note: Note;
  readonly details: Details;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

function gather(note: Note, facts: Map<string, GroupFacts>): void {
  const details = note.details as Partial<Details> | undefined; // as `pruneStructured` leaves them; checked below
  if (typeof details?.group !== 'string' || typeof details.units !== 'number') return;
  const earlier = facts.get(details.group);
  const before = earlier?.before ?? details.before;
  const after = details.after ?? earlier?.after;
  facts.set(details.group, { note, details: details as Details, before, after });
}

const totals = (layers: readonly ReportLayer[], of: (summary: ReportLayer['before']) => number): BeforeAfter => ({
  before: layers.reduce((sum, { before }) => sum + of(before), 0),
  after: layers.reduce((sum, { after }) => sum + (after ? of(after) : 0), 0),
});

function macsOf(layers: readonly ReportLayer[]): Partial<BeforeAfter> {
  const known = layers.every(({ before, after }) => before.macs !== null && after?.macs !== null);
  return known && layers.length > 0 ? totals(layers, ({ macs }) => macs ?? 0) : {};
}
