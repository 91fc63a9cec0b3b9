import type { CompressReport, ReportLayer } from './compress-report.js';
import { formatBytes, formatDb, formatShare } from './format-number.js';

/** Below this an output has little left of the original's: the error is a tenth of the signal's power. */
const floorDb = 10;
/** A fall of top-1 accuracy that is said first. */
const floorPoints = 0.05;
/** Below this share, integer and boolean outputs disagree too often. */
const floorAgreement = 0.9;

/**
 * The outcome of a compression, in one line of sentences. The facts that change everything come first: that nothing
 * was run, that the outputs are far from the original's, that the file grew. Then what was done, or that nothing was.
 */
export function outcomeOf(report: CompressReport): string {
  const done = [quantizedText(report), prunedText(report), trainedText(report)].filter((text) => text !== undefined);
  return [...alarms(report), ...(done.length ? done : ['Rewritten without loss.']), sizeText(report)]
    .filter((text) => text !== '')
    .join(' ');
}

function alarms({ comparison, fed, metrics, input, output }: CompressReport): readonly string[] {
  const texts: string[] = [];
  if (!comparison) {
    texts.push(`The file was written, but not run: ${fed.reason ?? 'no inputs were found.'}`);
  }
  const drop = metrics.before && metrics.after ? metrics.before.top1 - metrics.after.top1 : 0;
  if (drop > floorPoints) texts.push(`Accuracy fell by ${(100 * drop).toFixed(1)} points.`);
  const worst = comparison?.outputs.find(
    ({ snrDb, agreement, nonFinite }) =>
      nonFinite > 0 || (agreement === null ? snrDb < floorDb : agreement < floorAgreement),
  );
  if (worst) {
    const { name, snrDb, agreement, nonFinite } = worst;
    const how =
      nonFinite > 0
        ? 'holds values that are not finite'
        : agreement === null
          ? `is far from the original: ${formatDb(snrDb)}`
          : `agrees in only ${formatShare(agreement)} of its values`;
    texts.push(`Output "${name}" ${how}.`);
  }
  if (output.bytes > input.bytes) {
    texts.push(`The file became larger: ${formatBytes(output.bytes)} after ${formatBytes(input.bytes)}.`);
  }
  return texts;
}

const did = ({ steps }: CompressReport, kind: string) => steps.filter(({ step }) => step === kind);

function quantizedText(report: CompressReport): string | undefined {
  const steps = did(report, 'quantize');
  if (steps.length === 0) return undefined;
  const weighted = report.layers.filter(({ before }) => before.weight !== null);
  const narrower = weighted.filter(isNarrower);
  if (narrower.length > 0) {
    const widths = [...new Set(narrower.map(({ after }) => after?.weightBits ?? 0))].sort((a, b) => a - b);
    return `${narrower.length} of ${weighted.length} layers quantized to ${widths.join(' and ')} bits.`;
  }
  const quantized = steps.flatMap(({ notes }) => notes.filter(({ outcome }) => outcome === 'quantized'));
  if (quantized.length > 0) return `${quantized.length} nodes quantized.`;
  const reason = mostFrequent(
    steps.flatMap(({ notes }) => notes.filter(({ outcome }) => outcome !== 'pruned').map(({ reason: text }) => text)),
  );
  return `Nothing could be quantized: ${sentence(reason ?? 'the model has no layer with weights that this quantizer takes')}`;
}

const isNarrower = ({ before, after }: ReportLayer): boolean =>
  before.weightBits !== null && after !== null && after.weightBits !== null && after.weightBits < before.weightBits;

function prunedText(report: CompressReport): string | undefined {
  const steps = did(report, 'prune');
  if (steps.length === 0) return undefined;
  const { before, after } = report.costs;
  const removed = 1 - after.parameters / before.parameters;
  const zeros = (before.nonZero - after.nonZero) / before.nonZero;
  if (removed > 0.001) return `${formatShare(removed)} of the parameters removed.`;
  if (zeros > 0.001) return `${formatShare(zeros)} of the parameters set to zero.`;
  const reason = mostFrequent(steps.flatMap(({ notes }) => notes.map((note) => note.reason)));
  return `Nothing could be pruned: ${sentence(reason ?? 'no weight or channel of the model can go')}`;
}

function trainedText(report: CompressReport): string | undefined {
  return did(report, 'train').length > 0 ? 'Trained.' : undefined;
}

function sizeText({ input, output, latency }: CompressReport): string {
  if (output.bytes > input.bytes) return '';
  const share = output.bytes / input.bytes;
  const faster =
    latency && latency.ratio < 0.95 && latency.ratio > 0 ? `, ${(1 / latency.ratio).toFixed(2)} times as fast` : '';
  if (share > 0.98) return `The size hardly changed${faster}.`;
  return `${formatBytes(output.bytes)} after ${formatBytes(input.bytes)}${faster}.`;
}

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
