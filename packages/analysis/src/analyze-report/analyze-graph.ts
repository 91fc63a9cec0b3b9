import {
  adviceSummary,
  adviseWeights,
  checkedAdvice,
  errorHistogram,
  theoryCurves,
  type WeightsAdviceOptions,
  weightTargets,
} from '@espalier/bounds';
import type { Graph } from '@espalier/core';
import { type CostOptions, costsOf } from '../costs/costs-of.js';
import { energyEstimate } from '../costs/energy-estimate.js';
import { costSummary } from '../report/compress-report.js';
import type { AnalyzeReport } from './analyze-report.js';

/** Options of an analysis. */
export interface AnalyzeOptions extends WeightsAdviceOptions, CostOptions {
  /** Tensors with error histograms, the largest ones. Default: 12. */
  readonly figures?: number;
}

/** The part of a report that weights alone decide. */
export type WeightsReport = Pick<
  AnalyzeReport,
  'options' | 'costs' | 'energy' | 'weights' | 'skipped' | 'summary' | 'theory' | 'errors'
>;

/** Everything that a model's weights say by themselves: advice, theory, errors, costs. @throws OPTION_INVALID. */
export async function analyzeGraph(
  graph: Graph,
  { figures = 12, sizes, rules, ...advice }: AnalyzeOptions = {},
): Promise<WeightsReport> {
  const { choose: _choose, runner: _runner, progress: _progress, ...plain } = advice;
  const options = checkedAdvice(plain);
  const costs = costsOf(graph, { ...(sizes ? { sizes } : {}), ...(rules ? { rules } : {}) });
  const { weights, skipped } = await adviseWeights(graph, advice);
  const judged = new Set(weights.map(({ weight }) => weight));
  const largest = weightTargets(graph)
    .filter(({ weight }) => judged.has(weight))
    .sort((a, b) => b.count - a.count)
    .slice(0, figures);
  const bits = options.bits.includes(4) ? 4 : options.bits[0]!; // one at least, as checked
  return {
    options,
    costs: costSummary(costs),
    energy: costs.knownMacs > 0 ? energyEstimate(costs) : null,
    weights,
    skipped,
    summary: adviceSummary(weights),
    theory: theoryCurves(options.bits),
    errors: largest.flatMap(({ weight, rows }) => {
      const histogram = errorHistogram(rows().values, { bits, form: options.form });
      return histogram ? [{ weight, histogram }] : [];
    }),
  };
}
