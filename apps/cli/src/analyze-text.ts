import { type AnalyzeReport, formatDb, significant } from '@espalier/analysis';
import type { WeightAdvice } from '@espalier/bounds';
import { bytesText, countText, percentText, shortText } from './number-text.js';
import { factTable, textTable } from './text-table.js';

const mostTensors = 40;

/** An analysis as text: what loses less, by bit width, then by tensor and layer. */
export function analyzeText(report: AnalyzeReport, written: readonly string[]): string {
  const { input, costs, energy, warnings } = report;
  return [
    factTable([
      ['model', `${input.path}, ${input.format}, ${bytesText(input.bytes)}`],
      ['weights', `${countText(costs.parameters)} in ${report.weights.length} tensors of two axes or more`],
      ...(energy
        ? [['energy', `${significant(energy.totalUj)} µJ a sample by a model (${energy.model})`] as const]
        : []),
    ]),
    '',
    'Quantization against pruning at the same size, by weights alone:',
    summaryTable(report),
    '',
    'Decibels in favour of quantization:',
    tensorTable(report),
    ...(report.layers ? ['', ...layersText(report.layers)] : []),
    ...(report.drift ? ['', ...driftText(report.drift)] : []),
    ...report.skipped.map(({ weight, reason }) => `left out ${weight}: ${reason}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...written.map((path) => `wrote ${path}`),
  ].join('\n');
}

const summaryTable = ({ summary, theory }: AnalyzeReport): string =>
  textTable(
    ['bits', 'zeros', 'quantize', 'prune', 'median', 'theory: prune from kurtosis'],
    summary.map(({ bits, quantize, prune, medianMarginDb }) => {
      const crossover = theory.find((curve) => curve.bits === bits)?.crossover;
      return [
        String(bits),
        percentText(1 - bits / 16),
        String(quantize),
        String(prune),
        formatDb(medianMarginDb),
        typeof crossover === 'number' ? significant(crossover) : 'never',
      ];
    }),
  );

function tensorTable({ weights, options }: AnalyzeReport): string {
  const largest = new Set([...weights].sort((a, b) => b.count - a.count).slice(0, mostTensors));
  const rows = weights
    .filter((weight) => largest.has(weight))
    .map((weight) => [
      shortText(weight.weight, 40),
      weight.shape.join('x'),
      significant(weight.kurtosis),
      ...weight.bits.map(marginText),
    ]);
  const rest = weights.length - rows.length;
  const head = ['weight', 'shape', 'kurtosis', ...options.bits.map((bits) => `${bits} bit`)];
  return [textTable(head, rows), ...(rest > 0 ? [`and ${rest} smaller ones (--report or --json lists all)`] : [])].join(
    '\n',
  );
}

const marginText = ({ prefer, marginDb }: WeightAdvice['bits'][number]): string =>
  `${prefer === 'quantize' ? '+' : '-'}${marginDb.toFixed(1)}`;

function layersText({ layers, skipped, samples, data }: NonNullable<AnalyzeReport['layers']>): readonly string[] {
  const widths = layers[0]?.bits.map(({ bits }) => bits) ?? [];
  const rows = widths.map((bits, at) => {
    const count = (verdict: string) => String(layers.filter((layer) => layer.bits[at]!.verdict === verdict).length);
    const ahead = layers.filter((layer) => layer.bits[at]!.ahead === 'quantization').length;
    return [String(bits), count('quantization'), count('pruning'), count('undecided'), `${ahead} of ${layers.length}`];
  });
  return [
    `Output error of ${layers.length} layers on ${samples} samples of ${data}, heuristics with bounds:`,
    textTable(['bits', 'certain: quantize', 'certain: prune', 'undecided', 'heuristics: quantize'], rows),
    ...skipped.map(({ node, reason }) => `left out ${node}: ${reason}`),
  ];
}

const driftText = ({ layers, against, samples, data }: NonNullable<AnalyzeReport['drift']>): readonly string[] => [
  `Drift against ${against.path} on ${samples} samples of ${data}:`,
  textTable(
    ['layer', 'SNR', 'alignment'],
    layers.map(({ node, snrDb, cka }) => [
      shortText(node, 40),
      snrDb === null ? '?' : formatDb(snrDb),
      cka === null ? '?' : cka.toFixed(4),
    ]),
  ),
];
