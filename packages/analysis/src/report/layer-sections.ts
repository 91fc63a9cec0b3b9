import type { CompressReport, ReportLayer } from './compress-report.js';
import { formatBytes, formatCount, formatDb } from './format-number.js';
import { histogramFigure } from './histogram-figure.js';
import { type Html, html } from './html.js';
import { bar, htmlTable, legend, part } from './report-parts.js';

/** Ratio in decibels at which bars are full: beyond, no difference is worth a look. */
const full = 60;

/** The grade of a ratio for a layer: 10 dB is an error a third as large as the signal. */
export const gradeOf = (db: number): 'good' | 'fair' | 'bad' => (db >= 20 ? 'good' : db >= 10 ? 'fair' : 'bad');

/** Signal-to-noise ratio of each layer, as bars. */
export function snrSection({ layers }: CompressReport): Html | null {
  const rows = layers.filter(({ snrDb, weightSnrDb }) => snrDb !== null || weightSnrDb !== null);
  if (rows.length === 0) return null;
  const hint =
    'Signal-to-noise ratio by layer: of its output (all error that has gathered up to there) and of its weight alone. Every 6 dB halve the error; below 10 dB a layer is worth a closer look.';
  const shown = rows.map((layer) => {
    const db = layer.snrDb ?? layer.weightSnrDb!; // one of the two is known
    return [name(layer), op(layer), bar(db / full, gradeOf(db)), formatDb(layer.snrDb), formatDb(layer.weightSnrDb)];
  });
  return part('Error by layer', hint, [
    legend([
      { colour: 'good', label: '20 dB and more' },
      { colour: 'fair', label: '10 to 20 dB' },
      { colour: 'bad', label: 'below 10 dB' },
    ]),
    htmlTable(
      [
        { title: 'layer' },
        { title: 'op', kind: 'extra' },
        { title: '0 to 60 dB', kind: 'wide' },
        { title: 'output', kind: 'number' },
        { title: 'weight', kind: 'number' },
      ],
      shown,
    ),
  ]);
}

/** Bytes of each layer before and after, as pairs of bars. */
export function sizeSection({ layers }: CompressReport): Html | null {
  const rows = layers.filter(({ before, after }) => before.bytes > 0 || (after?.bytes ?? 0) > 0);
  if (rows.length === 0) return null;
  const most = rows.reduce((max, { before, after }) => Math.max(max, before.bytes, after?.bytes ?? 0), 1);
  const shown = rows.map((layer) => [
    name(layer),
    bits(layer),
    [bar(layer.before.bytes / most, 'before'), bar((layer.after?.bytes ?? 0) / most)],
    formatBytes(layer.before.bytes),
    layer.after ? formatBytes(layer.after.bytes) : 'gone',
    formatCount(layer.after ? layer.after.macs : layer.before.macs),
  ]);
  return part(
    'Size by layer',
    'Bytes of the weights of each layer with their scales, and its multiply-accumulates after.',
    [
      legend([
        { colour: 'before', label: 'before' },
        { colour: 'after', label: 'after' },
      ]),
      htmlTable(
        [
          { title: 'layer' },
          { title: 'weight \u00d7 activation', kind: 'extra' },
          { title: '', kind: 'wide' },
          { title: 'before', kind: 'number' },
          { title: 'after', kind: 'number' },
          { title: 'MACs', kind: 'extra-number' },
        ],
        shown,
      ),
    ],
  );
}

const mostFigures = 24;

/** Weight histograms of the largest layers, small and side by side. */
export function histogramSection({ layers }: CompressReport): Html | null {
  const all = layers.filter(({ histogram }) => histogram !== null);
  if (all.length === 0) return null;
  const largest = new Set([...all].sort((a, b) => b.before.parameters - a.before.parameters).slice(0, mostFigures));
  const figures = all
    .filter((layer) => largest.has(layer))
    .map((layer) => {
      const title = layer.before.weight ?? layer.node;
      return html`<figure>${histogramFigure(layer.histogram!, `Histogram of ${title} before and after`)}<figcaption>${title} <span>${formatCount(layer.before.parameters)}, ${formatDb(layer.weightSnrDb)}</span></figcaption></figure>`;
    });
  const left = all.length - figures.length;
  const hint = `Weights before (area) and after (bars), each scaled to its own tallest bin.${left > 0 ? ` The ${figures.length} largest of ${all.length} tensors; the others are in report.json.` : ''}`;
  return part('Weights', hint, html`<div class="grid">${figures}</div>`);
}

const name = ({ value, node }: ReportLayer): Html => html`<span title="${value ?? node}">${node || value}</span>`;

const op = (layer: ReportLayer): Html => html`<span class="op">${layer.op}</span>`;

function bits({ after, before }: ReportLayer): Html {
  const { weightBits, activationBits } = after ?? before;
  return html`<span class="op">${weightBits === null ? '\u2013' : `${weightBits} \u00d7 ${activationBits ?? '\u2013'} bit`}</span>`;
}
