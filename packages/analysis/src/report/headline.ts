import type { CompressReport } from './compress-report.js';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDb,
  formatDifference,
  formatMs,
  formatShare,
  significant,
} from './format-number.js';
import { type Html, type HtmlValue, html } from './html.js';
import { htmlTable, part } from './report-parts.js';

/** The figures that a reader looks for first, large. */
export function headlineCards({ input, output, metrics, latency, comparison }: CompressReport): Html {
  const cards: (readonly [string, string])[] = [[formatChange(input.bytes, output.bytes), 'file size']];
  if (latency) cards.push([speed(latency.ratio), `on ${latency.runtime}`]);
  if (metrics.before && metrics.after) {
    cards.push([pointsBetween(metrics.before.top1, metrics.after.top1), 'of accuracy (top 1)']);
  }
  const lowest = comparison?.outputs.reduce((least, { snrDb }) => Math.min(least, snrDb), Number.POSITIVE_INFINITY);
  if (lowest !== undefined && Number.isFinite(lowest)) cards.push([formatDb(lowest), 'signal-to-noise at the output']);
  return html`<div class="cards">${cards.map(([figure, label]) => html`<div class="card"><b>${figure}</b><span>${label}</span></div>`)}</div>`;
}

function pointsBetween(before: number, after: number): string {
  const points = (100 * Math.abs(after - before)).toFixed(2);
  return `${after > before ? '+' : after < before ? '\u2212' : '\u00b1'}${points} points`;
}

/** The speed-up of b, from the ratio b / a of times. */
export function speed(ratio: number): string {
  if (!(ratio > 0)) return '\u2013';
  if (Math.abs(ratio - 1) < 0.05) return 'as fast';
  return ratio < 1 ? `${(1 / ratio).toFixed(2)}\u00d7 faster` : `${ratio.toFixed(2)}\u00d7 slower`;
}

/** Everything measured, before and after. */
export function headlineTable(report: CompressReport): Html {
  const { input, output, costs, sizes, metrics, latency, comparison } = report;
  const rows: (readonly HtmlValue[])[] = [
    counted('File', [input.bytes, output.bytes], formatBytes),
    ...(sizes ? [counted('Weights, gzip', [sizes.before.gzipBytes, sizes.after.gzipBytes], formatBytes)] : []),
    counted('Weights', [costs.before.weightBytes, costs.after.weightBytes], formatBytes),
    counted('Parameters', [costs.before.parameters, costs.after.parameters], formatCount),
    counted('Parameters that are not zero', [costs.before.nonZero, costs.after.nonZero], formatCount),
    counted('Multiply-accumulates, one sample', [costs.before.macs, costs.after.macs], formatCount),
    counted('Bit operations, one sample', [costs.before.bops, costs.after.bops], formatCount),
    counted(
      'Activations at their peak, unfused',
      [costs.before.peakActivationBytes, costs.after.peakActivationBytes],
      formatBytes,
    ),
  ];
  if (latency) rows.push(['Latency, one run', formatMs(latency.aMs), formatMs(latency.bMs), speed(latency.ratio)]);
  const { before, after } = metrics;
  if (before || after) {
    const points = before && after ? pointsBetween(before.top1, after.top1) : '\u2013';
    rows.push(['Accuracy, top 1', formatShare(before?.top1), formatShare(after?.top1), points]);
    if (before?.top5 !== undefined || after?.top5 !== undefined) {
      rows.push(['Accuracy, top 5', formatShare(before?.top5), formatShare(after?.top5), '']);
    }
    rows.push(['Loss', before ? significant(before.loss) : '\u2013', after ? significant(after.loss) : '\u2013', '']);
  }
  const hint = latency
    ? html`Latency is the median of ${latency.a.runs} interleaved pairs of runs on ${latency.runtime}, on the machine that made this report; the ratio is the median over pairs.`
    : 'Latency was not measured.';
  return part('Before and after', hint, [
    htmlTable(
      [{ title: '' }, { title: 'before', kind: 'number' }, { title: 'after', kind: 'number' }, { title: 'change' }],
      rows,
    ),
    ...(comparison ? [agreement(comparison)] : []),
  ]);
}

function counted(
  title: string,
  [before, after]: readonly [number | null, number | null],
  format: (value: number | null) => string,
): readonly HtmlValue[] {
  return [title, format(before), format(after), formatChange(before, after)];
}

function agreement({ samples, top1Agreement, outputs }: NonNullable<CompressReport['comparison']>): Html {
  const same = top1Agreement === null ? '' : ` Both name the same class for ${formatShare(top1Agreement)} of them.`;
  const each = outputs.map(
    ({ name, maxAbs, ...output }) =>
      html`<li>Output <code>${name}</code>: ${formatDifference(output)}, largest difference ${maxAbs === Number.MAX_VALUE ? 'without bound' : significant(maxAbs)}</li>`,
  );
  return html`<p class="hint">Compared on ${samples} samples.${same}</p><ul>${each}</ul>`;
}
