import type { Note } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import type { ReportLayer } from './compress-report.js';
import { widthSection } from './width-section.js';
import type { WidthRow } from './widths.js';
import { widthsOf } from './widths-of.js';

const attack = '"><script>alert(1)</script>';

const layer = (node: string, before: number, after: number, macs: number | null = 10 * before): ReportLayer => {
  const summary = {
    node,
    op: 'Conv',
    weight: `${node}.w`,
    weightShape: null,
    nonZero: 0,
    bytes: 0,
    bops: null,
    weightBits: 32,
    activationBits: 32,
  };
  return {
    node,
    op: 'Conv',
    value: node,
    before: { ...summary, parameters: before, macs },
    after: { ...summary, parameters: after, macs: macs === null ? null : 10 * after },
    snrDb: null,
    weightSnrDb: null,
    histogram: null,
  };
};

const cut = (group: string, before: number, after: number, more: Readonly<Record<string, unknown>> = {}): Note => ({
  node: group.replace('.w/0', ''),
  op: 'Conv',
  outcome: 'pruned',
  reason: 'gone',
  details: { group, units: before, before, after, each: 1, layers: [group.replace('.w/0', '')], ...more },
});
const kept: Note = { outcome: 'kept', reason: 'It is an output.', details: { group: 'z/0', units: 10 } };
const step = (...notes: readonly Note[]) => ({ step: 'prune', use: 'magnitude', seconds: 1, notes });

describe('widths of a compression', () => {
  it('go from before the first step to after the last, with the cost of all layers that make the units', () => {
    const widths = widthsOf({
      steps: [
        step(cut('a.w/0', 16, 12, { layers: ['a', 'b'] }), kept),
        step(cut('a.w/0', 12, 8, { layers: ['a', 'b'] }), { outcome: 'pruned', reason: 'in all' }),
      ],
      layers: [layer('a', 100, 50), layer('b', 300, 100), layer('c', 7, 7)],
    });
    expect(widths?.groups).toEqual([
      {
        group: 'a.w/0',
        node: 'a',
        op: 'Conv',
        unit: 'channel',
        each: 1,
        units: { before: 16, after: 8 },
        layers: 2,
        parameters: { before: 400, after: 150 },
        macs: { before: 4000, after: 1500 },
      },
    ]);
    expect(widths?.kept).toEqual([{ group: 'z/0', units: 10, reason: 'It is an output.' }]);
  });

  it('are not known where no units were removed, and MACs not where a layer has none', () => {
    expect(widthsOf({ steps: [step(kept)], layers: [] })).toBeNull();
    expect(widthsOf({ steps: [step({ outcome: 'pruned', reason: 'zeros' })], layers: [] })).toBeNull();
    const widths = widthsOf({ steps: [step(cut('a.w/0', 4, 2))], layers: [layer('a', 8, 4, null)] });
    expect(widths?.groups[0]?.macs).toEqual({ before: null, after: null });
  });

  it('are drawn as bars with a row for each group, every name escaped, the rest folded away', () => {
    const row = (i: number): WidthRow => ({
      group: `${attack}${i}`,
      node: `${attack}${i}`,
      op: 'Conv',
      unit: 'head',
      each: 64,
      units: { before: 12, after: 6 },
      layers: 3,
      parameters: { before: 1000, after: 250 },
      macs: { before: null, after: null },
    });
    const groups = Array.from({ length: 200 }, (_, i) => row(i));
    const page = widthSection({ groups, kept: [{ group: attack, units: 3, reason: attack }] })!.markup;
    expect(page).not.toContain('<script');
    expect(page.match(/<rect/g)).toHaveLength(400);
    expect(page).toContain('12\u00d764');
    expect(page).toContain('50 %');
    expect(page).toContain('heads, with 2 more layers');
    expect(page).toContain('<summary>176 more groups</summary>');
    expect(page).toContain('<summary>One group lost nothing</summary>');
    expect(widthSection(null)).toBeNull();
  });
});
