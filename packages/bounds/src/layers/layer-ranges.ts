import { decibels } from '../decibels.js';
import { equalSparsity } from '../distributions/pruning-crossover.js';
import { badLayer } from '../errors.js';
import { chunkSamples } from './chunk-samples.js';
import { checkGram } from './integer-problem.js';
import { judgePruning } from './judge-pruning.js';
import { judgeQuantization, type RowSample, type SampleRange } from './judge-quantization.js';
import { layerOptions } from './layer-options.js';
import type {
  BitRange,
  LayerNumbers,
  LayerRange,
  LayerRangeOptions,
  LayerVerdict,
  MethodRange,
} from './layer-range.js';
import { quadraticForm } from './quadratic-form.js';
import { rowGrids } from './row-grids.js';

/**
 * Prune or quantize this layer? At each bit width b, the signal-to-noise ratio of the layer's outputs,
 * 10·log₁₀(Σ‖Xw‖² / Σ‖X(ŵ - w)‖²), with weights on the b-bit grid of least squared weight error against weights of which
 * 1 - b/16 are zero and the others refitted: what heuristics reach, and a bound that no algorithm exceeds (Kuzmin et al.
 * 2023, arXiv 2307.02973, section 4). Where the range of one method lies above that of the other, the verdict holds for
 * any algorithm; the step is part of the question, though, and other steps may do better or worse.
 *
 * Exact problems are small, so the layer is cut into chunks of 36 columns, each with the inputs of its own (appendix
 * F), and `samples` pairs of a row and a chunk stand for the layer: verdicts are about them. A layer of at most `chunk`
 * columns is not cut. Searches end at `nodes` or `gap`, which costs tightness, never validity.
 * @throws LAYER_NUMBERS, LAYER_GRAM, OPTION_INVALID.
 */
export function layerRanges({ weight, gram, kernel = 1 }: LayerNumbers, options: LayerRangeOptions = {}): LayerRange {
  const { bits, form, granularity, chunk: most, samples: count, roundings, certify } = layerOptions(options);
  const { rows, size } = checkedLayer(weight, gram, kernel);
  const plan = chunkSamples({ rows, size, kernel, most, count });
  const real = Float64Array.from(weight);
  const grams = new Map<number, Float64Array>();
  const samples = plan.samples.map(({ row, start, length }): RowSample & { readonly row: number } => {
    const block = grams.get(start) ?? diagonalBlock(gram, { size, start, length });
    grams.set(start, block);
    return { row, gram: block, weight: real.slice(row * size + start, row * size + start + length) };
  });
  const signal = samples.reduce((sum, each) => sum + quadraticForm(each.gram, each.weight), 0);
  return {
    rows,
    size,
    chunk: plan.chunk,
    chunks: plan.chunks,
    samples: samples.length,
    bits: bits.map((each): BitRange => {
      const grids = rowGrids(real, rows, { bits: each, form, granularity });
      const judged = samples.map((sample) => ({
        quantization: judgeQuantization(sample, { grid: grids[sample.row]!, roundings }, certify),
        pruning: judgePruning(sample, Math.round(equalSparsity(each) * sample.weight.length), certify),
      }));
      return bitRange(each, { signal, judged, certified: certify !== undefined });
    }),
  };
}

interface Judged {
  readonly quantization: SampleRange;
  readonly pruning: SampleRange;
}

function bitRange(
  bits: number,
  {
    signal,
    judged,
    certified,
  }: { readonly signal: number; readonly judged: readonly Judged[]; readonly certified: boolean },
): BitRange {
  const of = (samples: readonly SampleRange[]) => methodRange(samples, signal, certified);
  const quantization = of(judged.map((each) => each.quantization));
  const pruning = of(judged.map((each) => each.pruning));
  const verdicts: Record<LayerVerdict, number> = { quantization: 0, pruning: 0, undecided: 0 };
  for (const each of judged) verdicts[certified ? verdictOf(each) : 'undecided']++;
  const sum = (pick: (each: Judged) => number) => judged.reduce((total, each) => total + pick(each), 0);
  const total = {
    quantization: { error: sum((each) => each.quantization.error), bound: sum((each) => each.quantization.bound) },
    pruning: { error: sum((each) => each.pruning.error), bound: sum((each) => each.pruning.bound) },
  };
  return {
    bits,
    sparsity: equalSparsity(bits),
    quantization,
    pruning,
    verdict: certified ? verdictOf(total) : 'undecided',
    ahead: total.quantization.error <= total.pruning.error ? 'quantization' : 'pruning',
    verdicts,
  };
}

type Bounded = Readonly<Record<'quantization' | 'pruning', Pick<SampleRange, 'error' | 'bound'>>>;

function verdictOf({ quantization, pruning }: Bounded): LayerVerdict {
  if (quantization.error < pruning.bound) return 'quantization';
  return pruning.error < quantization.bound ? 'pruning' : 'undecided';
}

function methodRange(samples: readonly SampleRange[], signal: number, certified: boolean): MethodRange {
  const wins = new Map<string, number>();
  for (const { method } of samples) wins.set(method, (wins.get(method) ?? 0) + 1);
  const [method = ''] = [...wins.entries()].sort((a, b) => b[1] - a[1])[0] ?? [];
  const total = (pick: (each: SampleRange) => number) => samples.reduce((sum, each) => sum + pick(each), 0);
  return {
    heuristicDb: decibels(
      signal,
      total((each) => each.error),
    ),
    boundDb: certified
      ? decibels(
          signal,
          total((each) => each.bound),
        )
      : undefined,
    proven: samples.filter(({ proven }) => proven).length / Math.max(1, samples.length),
    method,
  };
}

function diagonalBlock(
  gram: Float64Array,
  { size, start, length }: { readonly size: number; readonly start: number; readonly length: number },
): Float64Array {
  const block = new Float64Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j <= i; j++) {
      // float32 sums need not be symmetric to the last bit
      const value = (gram[(start + i) * size + start + j]! + gram[(start + j) * size + start + i]!) / 2;
      block[i * length + j] = value;
      block[j * length + i] = value;
    }
  }
  return block;
}

function checkedLayer(weight: ArrayLike<number>, gram: Float64Array, kernel: number) {
  const size = Math.round(Math.sqrt(gram.length));
  if (size === 0 || size * size !== gram.length) {
    throw badLayer('gram', { expected: 'a square matrix of at least one column', found: `${gram.length} numbers` });
  }
  if (weight.length === 0 || weight.length % size !== 0) {
    throw badLayer('weight', { expected: `rows of ${size} numbers, as gram has`, found: `${weight.length} numbers` });
  }
  for (let i = 0; i < weight.length; i++) {
    if (!Number.isFinite(weight[i])) throw badLayer('weight', { expected: 'finite numbers', found: String(weight[i]) });
  }
  if (!Number.isInteger(kernel) || kernel < 1 || size % kernel !== 0) {
    throw badLayer('kernel', { expected: `a divisor of ${size}`, found: String(kernel) });
  }
  checkGram(gram, size);
  return { rows: weight.length / size, size };
}
