import type { Graph, ValueId } from '@espalier/core';
import type { ChannelRows } from './channel-rows.js';
import { type AdviceOptions, checkedAdvice, type TensorAdvice, tensorAdvice } from './tensor-advice.js';
import { type WeightTarget, weightTargets } from './weight-targets.js';

/** The advice for one weight of a graph. */
export interface WeightAdvice extends TensorAdvice {
  readonly weight: ValueId;
  readonly node: string;
  readonly op: string;
  readonly shape: readonly number[];
}

/** Judges one tensor; several may be asked for at the same time. Undefined where a weight is NaN or infinite. */
export type TensorJudge = (rows: ChannelRows, options: AdviceOptions) => Promise<TensorAdvice | undefined>;

/** Where tensors are judged. */
export interface AdviceRunner {
  readonly judge: TensorJudge;
  /** The number of tensors in work at once; only these are in memory beside the model. */
  readonly atOnce: number;
}

/** Judges in this thread, one tensor after the other. */
export const sameThread: AdviceRunner = { judge: async (rows, options) => tensorAdvice(rows, options), atOnce: 1 };

/** Options for judging the weights of a graph. */
export interface WeightsAdviceOptions extends AdviceOptions {
  /** Which weights. Default: all. */
  readonly choose?: (target: WeightTarget) => boolean;
  /** Where the work is done. Default: in this thread. */
  readonly runner?: AdviceRunner;
  /** Told after each tensor: the share of elements done, 0 to 1. */
  readonly progress?: (done: number) => void;
}

/** Advice for every weight of a graph, in the order of its constants. */
export interface WeightsAdvice {
  readonly weights: readonly WeightAdvice[];
  readonly skipped: readonly { readonly weight: ValueId; readonly reason: string }[];
}

/**
 * Rounding or pruning, for every weight of a graph at every bit width. See `tensorAdvice`. Large tensors go first, so
 * that several threads end together; the order of the answer is that of the graph. @throws OPTION_INVALID.
 */
export async function adviseWeights(graph: Graph, options: WeightsAdviceOptions = {}): Promise<WeightsAdvice> {
  const { choose = () => true, runner = sameThread, progress, ...rest } = options;
  const advice = checkedAdvice(rest);
  const targets = weightTargets(graph).filter(choose);
  const total = targets.reduce((sum, { count }) => sum + count, 0);
  const found = new Map<ValueId, TensorAdvice | undefined>();
  const open = [...targets].sort((a, b) => a.count - b.count);
  let done = 0;
  const work = async () => {
    for (let target = open.pop(); target; target = open.pop()) {
      found.set(target.weight, await runner.judge(target.rows(), advice));
      done += target.count;
      progress?.(done / total);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, runner.atOnce) }, work));
  return {
    weights: targets.flatMap(({ weight, node, op, shape }) => {
      const each = found.get(weight);
      return each ? [{ weight, node, op, shape, ...each }] : [];
    }),
    skipped: targets
      .filter(({ weight }) => !found.get(weight))
      .map(({ weight }) => ({ weight, reason: 'some of its numbers are NaN or infinite' })),
  };
}

/** The share of tensors and of weights that lose less by each method at one bit width. */
export interface AdviceSummary {
  readonly bits: number;
  readonly quantize: number;
  readonly prune: number;
  /** Share of all weights that lie in tensors for which pruning loses less. */
  readonly pruneShare: number;
  /** Median over tensors of quantization minus pruning, in decibels. */
  readonly medianMarginDb: number;
}

/** Counts recommendations by bit width. */
export function adviceSummary(weights: readonly WeightAdvice[]): readonly AdviceSummary[] {
  const widths = weights[0]?.bits.map(({ bits }) => bits) ?? [];
  const total = weights.reduce((sum, { count }) => sum + count, 0);
  return widths.map((bits, at) => {
    const pruned = weights.filter((weight) => weight.bits[at]!.prefer === 'prune');
    const margins = weights.map((weight) => signedMargin(weight, at)).sort((a, b) => a - b);
    const middle = (margins.length - 1) / 2;
    return {
      bits,
      quantize: weights.length - pruned.length,
      prune: pruned.length,
      pruneShare: total > 0 ? pruned.reduce((sum, { count }) => sum + count, 0) / total : 0,
      medianMarginDb: (margins[Math.floor(middle)]! + margins[Math.ceil(middle)]!) / 2,
    };
  });
}

function signedMargin({ bits }: WeightAdvice, at: number): number {
  const { prefer, marginDb } = bits[at]!;
  return prefer === 'quantize' ? marginDb : -marginDb;
}
