import { checkKeys, type KeysOf, type Session, type Tensor } from '@espalier/core';
import { numbersOf } from '@espalier/ops';
import { badLabels, noSamples, noScores, unknownOutput } from '../errors.js';
import { type Batches, feedsOf, labelsOf, samplesIn } from './batches.js';
import { type ClassRows, crossEntropyOf, rankOf } from './class-rows.js';
import { isClassScores, scoresOutput } from './class-scores.js';

/** Options for measuring a classifier. */
export interface EvaluateOptions {
  /** Name of the field with class indices; `label` unless said. */
  readonly labels?: string;
  /** The output with the class scores; the first one that looks like it unless said. */
  readonly output?: string;
  /** The kind of scores. Default: inferred from the numbers (rows that are at least 0 and sum to 1: probabilities). */
  readonly scores?: 'logits' | 'probabilities';
  /** Told after each batch: samples done so far. */
  readonly progress?: (done: number) => void;
}

/** Shares of right answers, and the mean cross-entropy in nats. */
export interface ClassifierMetrics {
  readonly top1: number;
  readonly loss: number;
  /** Share of samples whose class is among the five best; given for 10 classes and more. */
  readonly top5?: number;
}

/** The result of an evaluation. */
export interface Evaluation {
  readonly samples: number;
  readonly metrics: ClassifierMetrics;
  /** Seconds spent in the model. */
  readonly seconds: number;
  readonly output: string;
  readonly scores: 'logits' | 'probabilities';
}

const keys: KeysOf<EvaluateOptions> = {
  labels: true,
  output: true,
  scores: true,
  progress: true,
};

/**
 * Accuracy and loss of a classifier on labelled batches. The loss is the mean of -ln p(label), with p from softmax
 * when the scores are logits; where the model returns probabilities, one below 1e-7 counts as 1e-7, so that a
 * probability rounded to zero leaves the loss finite. Of equal scores the first wins, as argmax does everywhere.
 * @throws ANALYSIS_EMPTY, EVALUATE_LABELS, EVALUATE_OUTPUT.
 */
export async function evaluateSession(
  session: Session,
  batches: Batches,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkKeys<EvaluateOptions>('evaluateSession', options, keys);
  const { labels = 'label', output, scores, progress } = options;
  const tally = createTally();
  let named = output;
  let seconds = 0;
  for await (const batch of batches) {
    const feeds = feedsOf(session, batch);
    const samples = samplesIn(feeds);
    const start = performance.now();
    const results = await session.run(feeds, named === undefined ? undefined : [knownOutput(session, named)]);
    seconds += (performance.now() - start) / 1000;
    named ??= scoresOutput(results, samples);
    const found = named === undefined ? undefined : results.get(named);
    if (!found || !isClassScores(found, samples)) throw noScores(describe(results));
    tally.add(found, labelsOf(batch, { field: labels, samples }));
    progress?.(tally.samples());
  }
  if (named === undefined || tally.samples() === 0) throw noSamples('evaluation');
  return { ...tally.read(scores), seconds, output: named };
}

function knownOutput(session: Session, name: string): string {
  const known = session.outputs.map((port) => port.name);
  if (!known.includes(name)) throw unknownOutput(name, { known, hint: 'Check the spelling with `inspect`.' });
  return name;
}

const describe = (results: ReadonlyMap<string, Tensor>): readonly string[] =>
  [...results].map(([name, { dtype, shape }]) => `${name}: ${dtype}[${shape.join(',')}]`);

const smallest = 1e-7;
const slack = 0.05; // quantized probabilities are rounded to 1/256

/** Sums over samples. Both losses are kept until all rows were seen: whether rows are probabilities is known only then. */
function createTally() {
  let samples = 0;
  let classes = 0;
  let probabilities = true;
  const sums = { top1: 0, top5: 0, logits: 0, probabilities: 0 };
  const add = (scores: Tensor, labels: readonly number[]) => {
    classes = scores.shape[1]!;
    const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
    if (wrong !== undefined) throw badLabels(`${wrong}`, `class indices from 0 to ${classes - 1}`);
    const rows: ClassRows = { values: numbersOf(scores), labels, classes, stride: 1, start: (row) => row * classes };
    for (let row = 0; row < labels.length; row++) {
      const rank = rankOf(rows, row);
      if (rank === 0) sums.top1++;
      if (rank < 5) sums.top5++;
      sums.logits += crossEntropyOf(rows, row);
      sums.probabilities -= Math.log(Math.max(smallest, rows.values[row * classes + labels[row]!]!));
      probabilities &&= isDistribution(rows, row);
    }
    samples += labels.length;
  };
  const read = (given: Evaluation['scores'] | undefined): Pick<Evaluation, 'samples' | 'metrics' | 'scores'> => {
    const kind = given ?? (probabilities ? 'probabilities' : 'logits');
    const loss = sums[kind] / samples;
    const top5 = classes >= 10 ? { top5: sums.top5 / samples } : {};
    return { samples, scores: kind, metrics: { top1: sums.top1 / samples, loss, ...top5 } };
  };
  return { add, read, samples: () => samples };
}

/** Whether a row is at least 0 everywhere and sums to 1. */
function isDistribution({ values, classes, start }: ClassRows, row: number): boolean {
  let total = 0;
  for (let c = 0; c < classes; c++) {
    const value = values[start(row) + c]!;
    if (!(value >= 0)) return false;
    total += value;
  }
  return Math.abs(total - 1) <= slack;
}
