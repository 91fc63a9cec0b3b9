import { formatBytes, formatCount, formatDb, formatShare, significant } from '../report/format-number.js';
import { type Html, type HtmlValue, html } from '../report/html.js';
import { htmlPage } from '../report/html-page.js';
import { htmlTable, part } from '../report/report-parts.js';
import { warningSection } from '../report/run-section.js';
import type { AnalyzeReport } from './analyze-report.js';
import { driftSection, rangeSection } from './layer-figures.js';
import { compressionSection, errorSection, kurtosisSection, marginAt } from './weight-figures.js';

/**
 * "Prune or quantize?" for one model as one HTML file: no script, no request. Every name that comes from a model or a
 * file is escaped.
 */
export function analyzeHtml(report: AnalyzeReport): string {
  const name = report.input.path.split(/[/\\]/).at(-1) || report.input.path;
  const { format, bytes } = report.input;
  return htmlPage(`${name}: prune or quantize?`, [
    html`<header><h1>${name}: prune or quantize?</h1><p>${format}, ${formatBytes(bytes)}, ${formatCount(report.costs.parameters)} parameters.</p></header>`,
    cards(report),
    warningSection(report),
    summarySection(report),
    compressionSection(report),
    kurtosisSection(report),
    errorSection(report),
    rangeSection(report),
    driftSection(report),
    tensorSection(report),
    costSection(report),
    html`<footer>Made by Espalier in ${significant(report.seconds)} s. The same figures stand in analysis.json.</footer>`,
  ]);
}

function cards({ summary, weights }: AnalyzeReport): Html {
  const shown = summary.filter(({ bits }) => [2, 3, 4, 8].includes(bits));
  const card = ({ quantize, bits, medianMarginDb }: (typeof summary)[number]) =>
    html`<div class="card"><b>${quantize} of ${weights.length}</b><span>tensors are better quantized at ${bits} bits; the median by ${formatDb(medianMarginDb)}</span></div>`;
  return html`<div class="cards">${shown.map(card)}</div>`;
}

function summarySection({ summary, theory, options }: AnalyzeReport): Html {
  const rows = summary.map(({ bits, quantize, prune, pruneShare, medianMarginDb }): readonly HtmlValue[] => [
    String(bits),
    formatShare(1 - bits / 16),
    String(quantize),
    String(prune),
    formatShare(pruneShare),
    formatDb(medianMarginDb),
    crossover(theory.find((curve) => curve.bits === bits)?.crossover),
  ]);
  const hint = `Rounding with the best range for each ${options.granularity} against pruning the smallest weights, both at the same size: b bits against keeping b/16 of the weights in 16 bits, the mask not counted. By weights alone; what the layers make of it is below where it was asked for.`;
  return part('Which loses less', hint, [
    htmlTable(
      [
        { title: 'bits' },
        { title: 'zeros', kind: 'number' },
        { title: 'quantize', kind: 'number' },
        { title: 'prune', kind: 'number' },
        { title: 'weights to prune', kind: 'extra-number' },
        { title: 'median margin', kind: 'number' },
        { title: 'theory: prune from kurtosis', kind: 'extra-number' },
      ],
      rows,
    ),
  ]);
}

const crossover = (kurtosis: number | null | undefined): string =>
  kurtosis === null || kurtosis === undefined ? '\u2013' : significant(kurtosis);

function tensorSection({ weights, skipped, options }: AnalyzeReport): Html {
  const rows = weights.map((weight): readonly HtmlValue[] => [
    html`<span title="${weight.op} ${weight.node}">${weight.weight}</span>`,
    weight.shape.join('\u00d7'),
    significant(weight.kurtosis),
    ...options.bits.map((_, at) => signed(marginAt(weight, at))),
  ]);
  const left = skipped.map(({ weight, reason }) => html`<li><code>${weight}</code>: ${reason}</li>`);
  return part('Tensors', 'Decibels in favour of quantization at each bit width; below zero pruning loses less.', [
    htmlTable(
      [
        { title: 'weight' },
        { title: 'shape', kind: 'extra' },
        { title: 'kurtosis', kind: 'number' },
        ...options.bits.map((bits) => ({ title: `${bits} bit`, kind: 'number' as const })),
      ],
      rows,
    ),
    ...(left.length > 0 ? [html`<ul>${left}</ul>`] : []),
  ]);
}

const signed = (db: number): string => `${db < 0 ? '\u2212' : '+'}${Math.abs(db).toFixed(1)}`;

function costSection({ costs, energy }: AnalyzeReport): Html {
  const rows: (readonly HtmlValue[])[] = [
    ['Parameters', formatCount(costs.parameters)],
    ['Weights', formatBytes(costs.weightBytes)],
    ['Multiply-accumulates, one sample', formatCount(costs.macs)],
    ['Bit operations, one sample', formatCount(costs.bops)],
    ['Activations at their peak, unfused', formatBytes(costs.peakActivationBytes)],
  ];
  if (energy) {
    const parts = `compute ${significant(energy.computeUj)}, weights ${significant(energy.weightsUj)}, activations ${significant(energy.activationsUj)}`;
    rows.push([`Energy by a model (${energy.model})`, `${significant(energy.totalUj)} \u00b5J: ${parts}`]);
  }
  const hint =
    'Energy is an estimate from published figures for single operations and memory accesses, not a measurement: it ranks designs.';
  return part('Costs as it is', hint, htmlTable([{ title: '' }, { title: '', kind: 'number' }], rows));
}
