import type { ErrorHistogram, TheoryCurve, WeightAdvice } from '@espalier/bounds';
import { quantile } from '../comparison/quantile.js';
import { formatCount, formatDb, significant } from '../report/format-number.js';
import { type Html, html } from '../report/html.js';
import { legend, part } from '../report/report-parts.js';
import type { AnalyzeReport } from './analyze-report.js';
import { area, dot, niceTicks, type PlotFrame, plot, polyline } from './plot-frame.js';

const methods = [
  { colour: 'after', label: 'quantization' },
  { colour: 'fair', label: 'pruning' },
] as const;

/** Signal-to-noise ratio against compression: the median tensor, and the span from the 10th to the 90th percentile. */
export function compressionSection({ weights, options }: AnalyzeReport): Html | null {
  if (weights.length === 0) return null;
  const spans = options.bits.map((bits, at) => ({
    bits,
    quantization: span(weights.map((weight) => weight.bits[at]!.quantization[options.granularity].mseDb)),
    pruning: span(weights.map((weight) => weight.bits[at]!.pruning.free.snrDb)),
  }));
  const most = spans.reduce((high, { quantization, pruning }) => Math.max(high, quantization.high, pruning.high), 10);
  const top = Math.min(100, most);
  const figure = plot(
    {
      x: { from: 2, to: 8, title: 'bits a weight (compression 16 / bits)', ticks: options.bits },
      y: { from: 0, to: top, title: 'dB', ticks: niceTicks(0, top) },
    },
    {
      label: 'Signal-to-noise ratio against bits, quantization and pruning',
      draw: (frame) =>
        (['quantization', 'pruning'] as const).flatMap((method, i) => {
          const at = (pick: 'low' | 'middle' | 'high') =>
            spans.map((each) => [frame.x(each.bits), frame.y(each[method][pick])] as const);
          const { colour } = methods[i]!;
          return [area([...at('low'), ...at('high').reverse()], colour), polyline(at('middle'), colour)];
        }),
    },
  );
  const hint =
    'Weights alone: the line is the median tensor, the area the tensors between the 10th and the 90th percentile. Each bit of quantization adds 5 to 6 dB, the same bit spent on unpruned weights 1 to 2 dB.';
  return part('Error against compression', hint, [legend(methods), html`<figure class="plot">${figure}</figure>`]);
}

const span = (values: readonly number[]) => ({
  low: quantile(values, 0.1),
  middle: quantile(values, 0.5),
  high: quantile(values, 0.9),
});

/** Margin against kurtosis, one plot for each bit width up to five, with what theory expects. */
export function kurtosisSection({ weights, theory, options }: AnalyzeReport): Html | null {
  const curves = theory.filter(({ bits }) => bits <= 5);
  if (weights.length === 0 || curves.length === 0) return null;
  const kurtoses = weights.map(({ kurtosis }) => Math.max(1, kurtosis));
  const to = kurtoses.reduce((most, each) => Math.max(most, each), 100) * 1.2;
  const figures = curves.map((curve) => {
    const margins = weights.map((weight) => marginAt(weight, options.bits.indexOf(curve.bits)));
    return html`<figure class="plot">${scatter(curve, { weights, margins, to })}<figcaption>${curve.bits} bits <span>${crossoverText(curve)}</span></figcaption></figure>`;
  });
  const hint =
    'Each dot is a weight tensor; in the shaded region pruning loses less than quantization at the same size. The line is the theory for weights with ever heavier tails (a Student-t cut off further and further out).';
  return part('Where pruning wins', hint, html`<div class="plots">${figures}</div>`);
}

const crossoverText = ({ crossover }: TheoryCurve): string =>
  crossover === null ? 'in theory quantization always wins' : `in theory from a kurtosis of ${significant(crossover)}`;

/** Quantization minus pruning, in decibels. */
export function marginAt({ bits }: WeightAdvice, at: number): number {
  const { prefer, marginDb } = bits[at]!;
  return prefer === 'quantize' ? marginDb : -marginDb;
}

interface Scatter {
  readonly weights: readonly WeightAdvice[];
  readonly margins: readonly number[];
  readonly to: number;
}

function scatter({ bits, points, crossover }: TheoryCurve, { weights, margins, to }: Scatter): Html {
  const low = Math.max(-40, Math.min(-5, ...bounded(margins))) - 1;
  const high = Math.min(60, Math.max(5, ...bounded(margins))) + 1;
  const draw = (frame: PlotFrame): readonly Html[] => {
    const zero = frame.y(0);
    const seen = points.filter((point) => point.kurtosis <= to && point.marginDb >= low && point.marginDb <= high);
    return [
      html`<rect x="${frame.left}" y="${zero}" width="${frame.right - frame.left}" height="${Math.max(0, frame.bottom - zero)}" fill="var(--fair)" opacity="0.14"/>`,
      crossover !== null && crossover <= to
        ? html`<line x1="${frame.x(crossover)}" x2="${frame.x(crossover)}" y1="${frame.top}" y2="${frame.bottom}" stroke="var(--fair)" stroke-dasharray="3 3"/>`
        : html``,
      polyline(
        seen.map((point) => [frame.x(point.kurtosis), frame.y(point.marginDb)]),
        'soft',
      ),
      ...weights.map((weight, i) =>
        dot([frame.x(Math.max(1, weight.kurtosis)), frame.y(margins[i]!)], {
          colour: margins[i]! < 0 ? 'fair' : 'after',
          title: `${weight.weight}: kurtosis ${significant(weight.kurtosis)}, ${margins[i]!.toFixed(1)} dB`,
        }),
      ),
    ];
  };
  return plot(
    {
      x: {
        from: 1,
        to,
        log: true,
        title: 'kurtosis',
        ticks: [1, 3, 10, 30, 100, 300, 1000].filter((tick) => tick <= to),
      },
      y: { from: low, to: high, title: 'dB in favour of quantization', ticks: niceTicks(low, high) },
    },
    { label: `Margin of quantization over pruning against kurtosis at ${bits} bits`, draw },
  );
}

// Spreading a list of any length into Math.min could overflow the stack.
const bounded = (values: readonly number[]): readonly [number, number] => [
  values.reduce((a, b) => Math.min(a, b), 0),
  values.reduce((a, b) => Math.max(a, b), 0),
];

/** Error histograms of the largest tensors. */
export function errorSection({ errors, weights }: AnalyzeReport): Html | null {
  const [first] = errors;
  if (!first) return null;
  const counts = new Map(weights.map(({ weight, count }) => [weight, count]));
  const figures = errors.map(
    ({ weight, histogram }) =>
      html`<figure>${errorFigure(histogram, `Errors of ${weight}`)}<figcaption>${weight} <span>${formatCount(counts.get(weight))} weights, ${formatDb(histogram.quantizationDb)} and ${formatDb(histogram.pruningDb)}</span></figcaption></figure>`,
  );
  const { bits } = first.histogram;
  const hint = `Errors of single weights at ${bits} bits and at ${Math.round(100 * (1 - bits / 16))} % zeros, on a scale of logarithmic counts: quantization moves every weight a little, pruning leaves some alone and moves others a lot.`;
  return part('Errors of weights', hint, [legend(methods), html`<div class="grid">${figures}</div>`]);
}

const box = { width: 200, height: 64 };

function errorFigure({ min, max, quantization, pruning }: ErrorHistogram, label: string): Html {
  const most = [...quantization, ...pruning].reduce((a, b) => Math.max(a, b), 1);
  const step = box.width / quantization.length;
  const height = (count: number) => Math.round((Math.log1p(count) / Math.log1p(most)) * (box.height - 4) * 10) / 10;
  const outline = (counts: readonly number[]) =>
    `M0 ${box.height}${counts.map((count, i) => `V${box.height - height(count)}H${Math.round((i + 1) * step * 10) / 10}`).join('')}V${box.height}Z`;
  return html`<svg viewBox="0 0 ${box.width} ${box.height + 13}" role="img" aria-label="${label}"><path d="${outline(pruning)}" fill="var(--fair)" opacity="0.55"/><path d="${outline(quantization)}" fill="var(--after)" opacity="0.6"/><line x1="0" x2="${box.width}" y1="${box.height}" y2="${box.height}" stroke="var(--line)"/><text x="0" y="${box.height + 11}" font-size="9.5" fill="var(--soft)">${significant(min)}</text><text x="${box.width}" y="${box.height + 11}" font-size="9.5" fill="var(--soft)" text-anchor="end">${significant(max)}</text></svg>`;
}
