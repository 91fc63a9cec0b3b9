import { badOption, type Session, type Tensor } from '@espalier/core';
import { quantile } from './quantile.js';

/** The length of a measurement. */
export interface LatencyOptions {
  /** Runs (or pairs of runs) wanted. Default: 50. */
  readonly runs?: number;
  /** Runs before the first measured one. Default: 5. */
  readonly warmup?: number;
  /** No new run starts after this many seconds (at least 3 are made all the same). Default: 5. */
  readonly seconds?: number;
}

/** Time of one run in milliseconds. */
export interface Latency {
  readonly medianMs: number;
  /** Tenth and ninetieth percentile. */
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly runs: number;
}

/** Two latencies from interleaved runs; `ratio` is b / a, so below 1 means that b is faster. */
export interface LatencyPair {
  readonly a: Latency;
  readonly b: Latency;
  readonly aMs: number;
  readonly bMs: number;
  /** Median of the ratios of neighbouring runs: a machine that slows down for a while slows both of a pair. */
  readonly ratio: number;
}

/** One model to be timed. */
export interface Timed {
  readonly session: Session;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** The latency of a session on this machine: warm-up, then the median of many runs. */
export async function measureLatency(
  session: Session,
  feeds: ReadonlyMap<string, Tensor>,
  options: LatencyOptions = {},
): Promise<Latency> {
  const times: number[] = [];
  await repeat(options, async (keep) => {
    const ms = await timed({ session, feeds });
    if (keep) times.push(ms);
  });
  return summary(times);
}

/** Latencies of two models in turns (a b, b a, a b, …), so that drift of the machine meets both alike. */
export async function measureLatencyPair(a: Timed, b: Timed, options: LatencyOptions = {}): Promise<LatencyPair> {
  const times = { a: [] as number[], b: [] as number[] };
  let turn = 0;
  await repeat(options, async (keep) => {
    const aFirst = turn++ % 2 === 0;
    const first = await timed(aFirst ? a : b);
    const second = await timed(aFirst ? b : a);
    if (!keep) return;
    times.a.push(aFirst ? first : second);
    times.b.push(aFirst ? second : first);
  });
  const latencies = { a: summary(times.a), b: summary(times.b) };
  const ratios = times.a.map((ms, i) => times.b[i]! / Math.max(ms, Number.MIN_VALUE));
  return { ...latencies, aMs: latencies.a.medianMs, bMs: latencies.b.medianMs, ratio: quantile(ratios, 0.5) };
}

const fewest = 3;

async function repeat(
  { runs = 50, warmup = 5, seconds = 5 }: LatencyOptions,
  once: (keep: boolean) => Promise<void>,
): Promise<void> {
  for (const [name, value] of Object.entries({ runs, warmup, seconds })) {
    if (!Number.isFinite(value) || value < 0)
      throw badOption(name, { expected: 'a number of at least 0', found: value });
  }
  const start = performance.now();
  const late = () => performance.now() - start > seconds * 1000;
  for (let i = 0; i < warmup && (i < 1 || !late()); i++) await once(false);
  for (let i = 0; i < Math.max(fewest, runs) && (i < fewest || !late()); i++) await once(true);
}

async function timed({ session, feeds }: Timed): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

function summary(times: readonly number[]): Latency {
  return {
    medianMs: quantile(times, 0.5),
    p10Ms: quantile(times, 0.1),
    p90Ms: quantile(times, 0.9),
    runs: times.length,
  };
}
