import type { WeightHistogram } from './compress-report.js';
import { significant } from './format-number.js';
import { type Html, html } from './html.js';

const width = 200;
const height = 64;

/**
 * Two histograms over one axis: before as a filled area, after as bars. Each is scaled to its own tallest bin, since
 * a few quantized values gather what was spread over many bins.
 */
export function histogramFigure({ min, max, before, after }: WeightHistogram, label: string): Html {
  const bins = before.length;
  const step = width / bins;
  const bars = heights(after).map((h, i) =>
    h > 0
      ? `<rect x="${round(i * step + step * 0.15)}" y="${round(height - h)}" width="${round(step * 0.7)}" height="${round(h)}"/>`
      : '',
  );
  const corners = heights(before).map((h, i) => `H${round(i * step)}V${round(height - h)}H${round((i + 1) * step)}`);
  const drawing: Html = {
    markup: `<path d="M0 ${height}${corners.join('')}V${height}Z" fill="var(--before)" opacity="0.75"/><g fill="var(--after)">${bars.join('')}</g>`, // numbers only
  };
  return html`<svg viewBox="0 0 ${width} ${height + 13}" role="img" aria-label="${label}">
${drawing}<line x1="0" x2="${width}" y1="${height}" y2="${height}" stroke="var(--line)"/>
<text x="0" y="${height + 11}" font-size="9.5" fill="var(--soft)">${significant(min)}</text>
<text x="${width}" y="${height + 11}" font-size="9.5" fill="var(--soft)" text-anchor="end">${significant(max)}</text>
</svg>`;
}

function heights(counts: readonly number[]): readonly number[] {
  const tallest = counts.reduce((most, count) => Math.max(most, count), 0);
  return counts.map((count) => (tallest > 0 ? (count / tallest) * (height - 4) : 0));
}

const round = (value: number): number => Math.round(value * 10) / 10;
