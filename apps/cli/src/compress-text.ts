import { type CompressReport, outcomeOf, safeText } from '@espalier/analysis';
import { bytesText, countText, dbText, differenceText, percentText, ratioText, shortText } from './number-text.js';
import { factTable, textTable } from './text-table.js';
import { widthText } from './width-text.js';

type Row = readonly [string, string, string, string];

/** A compression as text: before and after, the five worst layers, what stayed float, warnings. */
export function compressText(report: CompressReport, written: readonly string[] = []): string {
  const { output, coverage, warnings, comparison } = report;
  const paragraphs = [
    safeText(outcomeOf(report)),
    textTable(['', 'before', 'after', 'ratio'], mainRows(report)),
    factTable([
      ['written', output.path],
      ...(report.fed.data === null ? [] : [['compared on', fedText(report)] as const]),
      ...(comparison?.outputs.map(
        (output) => [`output ${shortText(output.name, 24)}`, differenceText(output)] as const,
      ) ?? []),
      ...(coverage
        ? [
            [
              'kernels',
              `${coverage.quantizedOps} quantized, ${coverage.floatOps} float, ${coverage.conversions} conversions`,
            ] as const,
          ]
        : []),
      ...(written.length ? [['report', written.join(', ')] as const] : []),
    ]),
    widthText(report.widths),
    worstLayers(report),
    floatText(report),
    passText(report),
    warnings.map((warning) => `warning: ${safeText(warning)}`).join('\n'),
  ];
  return paragraphs.filter((each) => each !== '').join('\n\n');
}

function fedText({ fed, comparison }: CompressReport): string {
  const samples = `${comparison?.samples ?? 0} samples of ${fed.data}`;
  return fed.inputs.length ? `${samples}: ${fed.inputs.map((input) => shortText(input, 70)).join('; ')}` : samples;
}

function mainRows({ input, output, sizes, costs, metrics, latency }: CompressReport): readonly Row[] {
  const { before, after } = costs;
  const rows: Row[] = [
    ['size', bytesText(input.bytes), bytesText(output.bytes), ratioText(output.bytes / input.bytes)],
  ];
  if (sizes)
    rows.push([
      'size under gzip',
      bytesText(sizes.before.gzipBytes),
      bytesText(sizes.after.gzipBytes),
      ratioText(sizes.after.gzipBytes / sizes.before.gzipBytes),
    ]);
  if (sizes?.after.sparseBytes !== undefined && after.nonZero < after.parameters) {
    rows.push([
      'size with sparse initializers',
      bytesText(sizes.before.bytes),
      bytesText(sizes.after.sparseBytes),
      ratioText(sizes.after.sparseBytes / sizes.before.bytes),
    ]);
  }
  rows.push([
    'parameters',
    countText(before.parameters),
    countText(after.parameters),
    ratioText(after.parameters / before.parameters),
  ]);
  if (after.nonZero < after.parameters)
    rows.push([
      'not zero',
      countText(before.nonZero),
      countText(after.nonZero),
      ratioText(after.nonZero / before.nonZero),
    ]);
  if (before.macs !== null && after.macs !== null)
    rows.push(['MACs', countText(before.macs), countText(after.macs), ratioText(after.macs / before.macs)]);
  if (before.bops !== null && after.bops !== null)
    rows.push(['BOPs', before.bops.toExponential(2), after.bops.toExponential(2), ratioText(after.bops / before.bops)]);
  if (latency)
    rows.push(['latency', `${latency.aMs.toFixed(2)} ms`, `${latency.bMs.toFixed(2)} ms`, ratioText(latency.ratio)]);
  if (metrics.before && metrics.after) {
    rows.push(['top-1', percentText(metrics.before.top1), percentText(metrics.after.top1), '']);
    rows.push(['loss', metrics.before.loss.toFixed(4), metrics.after.loss.toFixed(4), '']);
  }
  return rows;
}

function worstLayers({ layers }: CompressReport): string {
  const known = layers.filter((layer) => layer.snrDb !== null && layer.snrDb < 100);
  const worst = [...known].sort((a, b) => (a.snrDb ?? 0) - (b.snrDb ?? 0)).slice(0, 5);
  if (worst.length === 0) return '';
  const rows = worst.map(({ node, op, snrDb, weightSnrDb }) => [
    shortText(node),
    op,
    dbText(snrDb),
    weightSnrDb === null ? '' : dbText(weightSnrDb),
  ]);
  return textTable(['layers furthest from the original', 'op', 'output', 'weight'], rows);
}

/** The reasons of passes for nodes that they left, each once. */
function passText({ steps }: CompressReport): string {
  const notes = steps
    .filter(({ step }) => step === 'pass')
    .flatMap((step) => step.notes)
    .filter(({ outcome }) => outcome !== 'warning');
  const reasons = [...new Set(notes.map(({ reason }) => reason))];
  const lines = reasons.slice(0, 6).map((reason) => {
    const [first, ...more] = notes.filter((note) => note.reason === reason).map(({ node }) => node ?? '');
    return `  ${shortText(first ?? '', 40)}${more.length ? ` and ${more.length} more` : ''}  ${safeText(reason)}`;
  });
  return lines.length ? ['left by passes:', ...lines].join('\n') : '';
}

function floatText({ coverage }: CompressReport): string {
  const left = coverage?.stayedFloat ?? [];
  if (left.length === 0) return '';
  const shown = left
    .slice(0, 12)
    .map(({ node, op, reason }) => [shortText(node, 40), shortText(op, 32), safeText(reason)]);
  const width = (column: number) => Math.max(...shown.map((row) => row[column]!.length));
  const lines = shown.map(([node, op, reason]) => `  ${node!.padEnd(width(0))}  ${op!.padEnd(width(1))}  ${reason}`);
  return [
    `stayed float (${left.length}):`,
    ...lines,
    ...(left.length > shown.length ? [`  and ${left.length - shown.length} more (--report lists all)`] : []),
  ].join('\n');
}
