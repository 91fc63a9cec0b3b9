import { checkKeys, EspalierError, isFloat, type KeysOf, type Session, type Tensor } from '@espalier/core';
import { numbersOf } from '@espalier/ops';
import { noSamples, noSharedOutput } from '../errors.js';
import { type Batch, type Batches, feedsOf, firstSamples, labelsOf, samplesIn } from './batches.js';
import { argmax, isClassScores } from './class-scores.js';
import { createErrorMeter, type ErrorMeter } from './error-meter.js';
import { type LatencyOptions, type LatencyPair, measureLatencyPair } from './latency.js';
import { createSampleVariation } from './sample-variation.js';

/** Options for comparing more than the outputs. */
export interface CompareOptions {
  /** Options for timing both models; `false` skips latency. Timed on one sample unless the model fixes its batch. */
  readonly latency?: LatencyOptions | false;
  /** Name of the field with class indices; accuracies are given when the batches have it. `label` unless said. */
  readonly labels?: string;
  /** Sizes of the two files. */
  readonly bytes?: { readonly a: number; readonly b: number };
  /** Told after each batch: samples done so far. */
  readonly progress?: (done: number) => void;
}

/** The difference of one output of b from that of a (the reference). See `ErrorStats` for the figures. */
export interface OutputDifference {
  readonly name: string;
  readonly snrDb: number;
  readonly maxAbs: number;
  readonly rmse: number;
  readonly cosine: number;
  readonly nonFinite: number;
  /** Elements that are not finite in either model. */
  readonly undefinedBoth: number;
  /** Elements compared. */
  readonly count: number;
  /** Share of equal elements, for whole numbers, booleans and texts; null for other numbers. */
  readonly agreement: number | null;
  /** Whether the reference gives the same values for every sample, so that the other figures say little. */
  readonly constant: boolean;
}

/** Two models side by side; every `ratio` is b / a, so below 1 means that b is smaller or faster. */
export interface Comparison {
  readonly samples: number;
  readonly outputs: readonly OutputDifference[];
  /** Outputs that only one of the two models has. */
  readonly unmatched: readonly string[];
  /** Share of samples for which both name the same class; null when no output looks like class scores. */
  readonly top1Agreement: number | null;
  /** Shares of right answers, where labels were given. */
  readonly top1: { readonly a: number; readonly b: number } | null;
  readonly latency: LatencyPair | null;
  readonly bytes: { readonly a: number; readonly b: number; readonly ratio: number } | null;
}

type Compared = CompareOptions & { readonly batches: Batches };

const keys: KeysOf<Compared> = {
  batches: true,
  latency: true,
  labels: true,
  bytes: true,
  progress: true,
};

/**
 * Runs two sessions on the same batches and compares what they return, a being the reference. Memory stays that of
 * one batch. @throws ANALYSIS_EMPTY without samples, COMPARE_OUTPUTS, COMPARE_SIZE, EVALUATE_LABELS.
 */
export async function compareSessions(
  a: Session,
  b: Session,
  options: CompareOptions & { readonly batches: Batches },
): Promise<Comparison> {
  checkKeys<Compared>('compareSessions', options, keys);
  const { batches, latency, labels = 'label', bytes, progress } = options;
  const { pairs, unmatched } = matchOutputs(a, b);
  const meters = pairs.map(({ name }) => createErrorMeter(`output "${name}"`));
  const equals = pairs.map((): EqualCount => ({ total: 0, same: 0 }));
  const variations = pairs.map(createSampleVariation);
  const agreement = createAgreement();
  let samples = 0;
  let first: Batch | undefined;
  for await (const batch of batches) {
    first ??= batch;
    const feeds = feedsOf(a, batch);
    const count = samplesIn(feeds);
    const [left, right] = [await a.run(feeds), await b.run(feedsOf(b, batch))];
    pairs.forEach((pair, i) => {
      meterPair(meters[i]!, left.get(pair.a), right.get(pair.b));
      countEqual(equals[i]!, left.get(pair.a), right.get(pair.b));
      const output = left.get(pair.a);
      if (output) variations[i]!.add(output, count);
    });
    agreement.add(pairs, {
      left,
      right,
      count,
      ...(batch.has(labels) ? { truth: labelsOf(batch, { field: labels, samples: count }) } : {}),
    });
    samples += count;
    progress?.(samples);
  }
  if (!first || samples === 0) throw noSamples('comparison of two models');
  return {
    samples,
    outputs: pairs.map(({ name }, i) => ({
      ...difference(name, meters[i]!, equals[i]!),
      constant: variations[i]!.constant(),
    })),
    unmatched,
    ...agreement.read(),
    latency: latency === false ? null : await pairLatency([a, b], { batch: first, options: latency ?? {} }),
    bytes: bytes ? { ...bytes, ratio: bytes.a > 0 ? bytes.b / bytes.a : 1 } : null,
  };
}

interface OutputPair {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

// By name; by position when no name is shared but the numbers are equal, as after a change of format.
function matchOutputs(
  a: Session,
  b: Session,
): { readonly pairs: readonly OutputPair[]; readonly unmatched: readonly string[] } {
  const tensors = (session: Session) => session.outputs.filter(({ container }) => !container).map(({ name }) => name);
  const [left, right] = [tensors(a), tensors(b)];
  const shared = left.filter((name) => right.includes(name));
  if (shared.length > 0) {
    const unmatched = [...left, ...right].filter((name) => !shared.includes(name));
    return { pairs: shared.map((name) => ({ name, a: name, b: name })), unmatched };
  }
  if (left.length !== right.length) throw noSharedOutput(left, right);
  return { pairs: left.map((name, i) => ({ name, a: name, b: right[i]! })), unmatched: [] };
}

function meterPair(meter: ErrorMeter, left: Tensor | undefined, right: Tensor | undefined): void {
  if (left && right && left.dtype !== 'string' && right.dtype !== 'string') meter.addTensors(left, right);
}

/** The number of equal elements, for outputs that are no floating-point numbers. */
interface EqualCount {
  total: number;
  same: number;
}

function countEqual(equal: EqualCount, left: Tensor | undefined, right: Tensor | undefined): void {
  if (!left || !right || (isFloat(left.dtype) && isFloat(right.dtype))) return;
  const count = Math.min(left.data.length, right.data.length);
  equal.total += Math.max(left.data.length, right.data.length);
  for (let i = 0; i < count; i++) if (left.data[i] === right.data[i]) equal.same++;
}

function difference(name: string, meter: ErrorMeter, equal: EqualCount): Omit<OutputDifference, 'constant'> {
  return { name, ...meter.read(), agreement: equal.total > 0 ? equal.same / equal.total : null };
}

interface Pair {
  readonly left: ReadonlyMap<string, Tensor>;
  readonly right: ReadonlyMap<string, Tensor>;
  readonly count: number;
  readonly truth?: readonly number[];
}

/** Counts how often both name the same class, and how often each names the right one. */
function createAgreement() {
  const counts = { rows: 0, agree: 0, labelled: 0, a: 0, b: 0 };
  const add = (pairs: readonly OutputPair[], { left, right, count, truth }: Pair) => {
    for (const pair of pairs) {
      const [x, y] = [left.get(pair.a), right.get(pair.b)];
      if (!x || !y || !isClassScores(x, count) || !isClassScores(y, count)) continue;
      const classes = x.shape[1]!;
      const [p, q] = [numbersOf(x), numbersOf(y)];
      for (let i = 0; i < count; i++) {
        const at = { from: i * classes, count: classes };
        const [first, second] = [argmax(p, at), argmax(q, at)];
        if (first === second) counts.agree++;
        if (truth && first === truth[i]) counts.a++;
        if (truth && second === truth[i]) counts.b++;
      }
      counts.rows += count;
      if (truth) counts.labelled += count;
      return; // the first output with class scores decides
    }
  };
  const read = (): Pick<Comparison, 'top1Agreement' | 'top1'> => ({
    top1Agreement: counts.rows > 0 ? counts.agree / counts.rows : null,
    top1: counts.labelled > 0 ? { a: counts.a / counts.labelled, b: counts.b / counts.labelled } : null,
  });
  return { add, read };
}

/** Whether a model runs on the first row of a batch: the first axis of a picture of [height, width, 3] is no batch. */
async function takesOne(session: Session, batch: Batch): Promise<boolean> {
  const feeds = feedsOf(session, batch);
  const first = firstSamples(session.inputs, feeds);
  if (first === feeds) return true;
  try {
    await session.run(first);
    return true;
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    return false;
  }
}

async function pairLatency(
  [a, b]: readonly [Session, Session],
  { batch, options }: { readonly batch: Batch; readonly options: LatencyOptions },
): Promise<LatencyPair> {
  const one = await takesOne(a, batch);
  const [left, right] = [a, b].map((session) => {
    const feeds = feedsOf(session, batch);
    return { session, feeds: one ? firstSamples(session.inputs, feeds) : feeds };
  });
  return measureLatencyPair(left!, right!, options);
}
