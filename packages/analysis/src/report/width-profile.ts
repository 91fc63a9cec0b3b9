import { type Html, html } from './html.js';
import type { WidthRow } from './widths.js';

const size = { width: 1000, height: 150, foot: 2, left: 44 } as const;

/**
 * A skyline of a network: one bar for each group in order, as high as it was wide before, filled as high as it is
 * after. Heights are square roots, so that narrow layers are seen beside wide ones; lines stand at powers of ten.
 */
export function widthProfile(groups: readonly WidthRow[]): Html {
  const width = ({ units, each }: WidthRow, when: 'before' | 'after') => units[when] * each;
  const most = groups.reduce((max, group) => Math.max(max, width(group, 'before')), 1);
  const room = size.height - 14 - size.foot;
  const heightOf = (units: number) => Math.round(10 * room * Math.sqrt(units / most)) / 10;
  const step = (size.width - size.left) / Math.max(1, groups.length);
  const bar = Math.max(1, Math.min(step * 0.78, 36));
  const round = (value: number) => Math.round(value * 10) / 10;
  const bars = groups.map((group, i) => {
    const x = round(size.left + i * step + (step - bar) / 2);
    const [before, after] = (['before', 'after'] as const).map((when) => heightOf(width(group, when))) as [
      number,
      number,
    ];
    const rect = (height: number, fill: string) =>
      html`<rect x="${x}" y="${round(size.height - size.foot - height)}" width="${round(bar)}" height="${height}" fill="var(--${fill})"/>`;
    const text = `${group.node ?? group.group}: ${width(group, 'before')} \u2192 ${width(group, 'after')}`;
    return html`<g><title>${text}</title>${rect(before, 'before')}${rect(after, 'after')}</g>`;
  });
  const lines = marksUpTo(most).map((mark) => {
    const y = round(size.height - size.foot - heightOf(mark));
    return html`<line x1="${size.left}" x2="${size.width}" y1="${y}" y2="${y}" stroke="var(--line)"/><text x="${size.left - 6}" y="${round(y + 4)}" text-anchor="end" font-size="12" fill="var(--soft)">${mark}</text>`;
  });
  const label = `Widths of ${groups.length} groups before and after; the table has the numbers`;
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label}">${lines}${bars}</svg>`;
}

/** A few round numbers below a width, far enough apart on a scale of square roots. */
function marksUpTo(most: number): readonly number[] {
  const marks: number[] = [];
  for (let mark = 2 ** Math.floor(Math.log2(most)); mark >= 1 && marks.length < 3; mark /= 4) marks.push(mark);
  return marks;
}
