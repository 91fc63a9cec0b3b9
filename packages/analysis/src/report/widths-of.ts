import type { Note, NoteDetails, UnitDetails } from '@espalier/core';
import type { BeforeAfter } from './before-after.js';
import type { CompressReport, ReportLayer } from './compress-report.js';
import type { KeptGroup, WidthRow, Widths } from './widths.js';

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

/** Details of a note about a group of units. */
type GroupDetails = NoteDetails & Required<Pick<UnitDetails, 'group' | 'units'>>;

interface GroupFacts {
  readonly note: Note;
  readonly details: GroupDetails;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

function gather(note: Note, facts: Map<string, GroupFacts>): void {
  const { group, units, ...rest } = note.details ?? {};
  if (typeof group !== 'string' || typeof units !== 'number') return; // a report may come from a file
  const details = { ...rest, group, units };
  const earlier = facts.get(group);
  facts.set(group, {
    note,
    details,
    before: earlier?.before ?? details.before,
    after: details.after ?? earlier?.after,
  });
}

const totals = (layers: readonly ReportLayer[], of: (summary: ReportLayer['before']) => number): BeforeAfter => ({
  before: layers.reduce((sum, { before }) => sum + of(before), 0),
  after: layers.reduce((sum, { after }) => sum + (after ? of(after) : 0), 0),
});

function macsOf(layers: readonly ReportLayer[]): Partial<BeforeAfter> {
  const known = layers.every(({ before, after }) => before.macs !== null && after?.macs !== null);
  return known && layers.length > 0 ? totals(layers, ({ macs }) => macs ?? 0) : {};
}
