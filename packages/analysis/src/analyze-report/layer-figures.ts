import type { LayerAnalysis, MethodRange } from '@espalier/bounds';
import { formatDb } from '../report/format-number.js';
import { type Html, type HtmlValue, html } from '../report/html.js';
import { htmlTable, legend, part } from '../report/report-parts.js';
import type { AnalyzeReport } from './analyze-report.js';
import { niceTicks, plot, polyline } from './plot-frame.js';

/** Ranges between heuristic and bound for every layer, one table for each bit width. */
export function rangeSection({ layers }: AnalyzeReport): Html | null {
  const first = layers?.layers[0];
  if (!layers || !first) return null;
  const tables = first.bits.map(({ bits }, at) => rangeTable(layers.layers, { bits, at, open: bits === 4 }));
  const hint = `Error at the output of each layer, with the inputs it really sees (${layers.samples} samples of ${layers.data}). A bar goes from what the best heuristic reaches to what no algorithm can exceed; where the bars do not overlap, the answer is certain.`;
  return part('What is certain about each layer', hint, [
    legend([
      { colour: 'after', label: 'quantization' },
      { colour: 'fair', label: 'pruning' },
    ]),
    ...tables,
  ]);
}

interface RangeTable {
  readonly bits: number;
  readonly at: number;
  readonly open: boolean;
}

function rangeTable(layers: readonly LayerAnalysis[], { bits, at, open }: RangeTable): Html {
  const rows = layers.map((layer): readonly HtmlValue[] => {
    const { quantization, pruning, verdict } = layer.bits[at]!;
    const group = layer.groups > 1 ? html` <span class="op">group ${layer.group + 1} of ${layer.groups}</span>` : null;
    return [
      html`<span title="${layer.weight}">${layer.node}</span>${group}`,
      [rangeBar(quantization, 'after'), rangeBar(pruning, 'fair')],
      html`${rangeText(quantization)}<br>${rangeText(pruning)}`,
      verdict,
    ];
  });
  const count = (verdict: string) => layers.filter((layer) => layer.bits[at]!.verdict === verdict).length;
  const summary = html`<summary>${bits} bits: quantization certain for ${count('quantization')}, pruning for ${count('pruning')}, undecided ${count('undecided')}</summary>`;
  const table = htmlTable(
    [
      { title: 'layer' },
      { title: `0 to ${full} dB`, kind: 'wide' },
      { title: 'heuristic to bound', kind: 'number' },
      { title: 'better' },
    ],
    rows,
  );
  return open ? html`<details open>${summary}${table}</details>` : html`<details>${summary}${table}</details>`;
}

/** Decibels at which bars end. */
const full = 60;

function rangeBar({ heuristicDb, boundDb }: MethodRange, colour: 'after' | 'fair'): Html {
  const from = share(heuristicDb);
  const to = Math.max(from, share(boundDb ?? heuristicDb));
  return html`<svg viewBox="0 0 100 7" preserveAspectRatio="none" height="10" aria-hidden="true"><rect x="0" y="3" width="100" height="1" fill="var(--line)"/><rect x="${from}" y="1" width="${Math.max(0.8, to - from)}" height="5" fill="var(--${colour})"/></svg>`;
}

const share = (db: number): number => Math.round(Math.min(1, Math.max(0, db / full)) * 1000) / 10;

const rangeText = ({ heuristicDb, boundDb }: MethodRange): string =>
  boundDb === undefined
    ? formatDb(heuristicDb)
    : `${formatDb(heuristicDb)} to ${boundDb >= 300 ? 'open' : formatDb(boundDb)}`;

/** Signal-to-noise ratio and alignment of each layer of two models. */
export function driftSection({ drift }: AnalyzeReport): Html | null {
  if (!drift || drift.layers.length === 0) return null;
  const rows = drift.layers.map(({ node, op, snrDb, cka }): readonly HtmlValue[] => [
    node,
    html`<span class="op">${op}</span>`,
    formatDb(snrDb),
    cka === null ? '\u2013' : cka.toFixed(4),
  ]);
  const hint = `Activations of ${drift.samples} samples of ${drift.data} in both models. The ratio falls with every difference; alignment (linear CKA) stays at 1 where a layer was merely rotated or scaled.`;
  return part(`Drift against ${drift.against.path.split(/[/\\]/).at(-1) ?? ''}`, hint, [
    driftFigure(drift.layers),
    htmlTable(
      [
        { title: 'layer' },
        { title: 'op', kind: 'extra' },
        { title: 'ratio', kind: 'number' },
        { title: 'alignment', kind: 'number' },
      ],
      rows,
    ),
  ]);
}

type DriftPoint = { readonly snrDb: number | null; readonly cka: number | null };

/** Two small plots over the depth of a model: ratio and alignment. */
export function driftFigure(layers: readonly DriftPoint[]): Html {
  const x = {
    from: 1,
    to: Math.max(2, layers.length),
    title: 'layer',
    ticks: niceTicks(1, Math.max(2, layers.length)),
  };
  const known = (pick: keyof DriftPoint) =>
    layers.flatMap((layer, i) => (layer[pick] === null ? [] : [[i + 1, layer[pick]!] as const]));
  const lowest = known('cka').reduce((low, [, cka]) => Math.min(low, cka), 0.9);
  const figures = [
    plot(
      { x, y: { from: 0, to: 60, title: 'ratio, dB', ticks: niceTicks(0, 60) } },
      {
        label: 'Signal-to-noise ratio by layer',
        draw: (frame) => [
          polyline(
            known('snrDb').map(([i, db]) => [frame.x(i), frame.y(db)]),
            'after',
          ),
        ],
      },
    ),
    plot(
      { x, y: { from: lowest, to: 1, title: 'alignment', ticks: niceTicks(lowest, 1) } },
      {
        label: 'Alignment by layer',
        draw: (frame) => [
          polyline(
            known('cka').map(([i, cka]) => [frame.x(i), frame.y(cka)]),
            'good',
          ),
        ],
      },
    ),
  ];
  return html`<div class="plots">${figures.map((figure) => html`<figure class="plot">${figure}</figure>`)}</div>`;
}

/** The drift plots as one piece of markup, for pages of one's own. */
export const driftMarkup = (layers: readonly DriftPoint[]): string => driftFigure(layers).markup;
