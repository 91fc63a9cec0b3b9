export { type AnalyzeOptions, analyzeGraph, type WeightsReport } from './analyze-report/analyze-graph.js';
export { analyzeHtml } from './analyze-report/analyze-html.js';
export * from './analyze-report/analyze-report.js';
export { type ErrorHistogram, errorHistogram } from './analyze-report/error-histogram.js';
export { type ExamineOptions, examineLayers } from './analyze-report/examine-layers.js';
export { type TheoryCurve, type TheoryPoint, theoryCurves } from './analyze-report/kurtosis-crossovers.js';
export { driftMarkup } from './analyze-report/layer-figures.js';
export { type LayerTarget, layerTargets } from './analyze-report/layer-targets.js';
export type { Batch, Batches } from './comparison/batches.js';
export * from './comparison/compare-sessions.js';
export * from './comparison/error-meter.js';
export * from './comparison/evaluate-session.js';
export {
  type Latency,
  type LatencyOptions,
  type LatencyPair,
  measureLatency,
  measureLatencyPair,
  type Timed,
} from './comparison/latency.js';
export * from './comparison/snr-db.js';
export * from './costs/costs.js';
export * from './costs/costs-of.js';
export { type EnergyEstimate, energyEstimate, horowitz45nm, macPicojoules } from './costs/energy-estimate.js';
export {
  type Distribution,
  kurtosis,
  type MomentOrder,
  secondMoment,
  truncated,
} from './distributions/distribution.js';
export * from './distributions/expected-pruning-error.js';
export {
  expectedQuantizationError,
  type GridForm,
  gridEnds,
  type QuantizationError,
  type StepGrid,
} from './distributions/expected-quantization-error.js';
export * from './distributions/laplace.js';
export * from './distributions/normal.js';
export * from './distributions/optimal-step.js';
export * from './distributions/pruning-crossover.js';
export { studentT } from './distributions/student-t.js';
export * from './distributions/uniform.js';
export * from './drift/drift-between.js';
export * from './drift/linear-cka.js';
export * from './drift/representation-drift.js';
export * from './inspection/compressed-sizes.js';
export * from './inspection/coverage-of.js';
export * from './inspection/inspect-graph.js';
export * from './inspection/inspection.js';
export type { SkippedValue } from './layer-errors/comparable-values.js';
export * from './layer-errors/layer-errors.js';
export * from './layer-errors/weight-errors.js';
export { descendCodes, descent } from './layers/coordinate-descent.js';
export { type ExactPruning, exactPruning } from './layers/exact-pruning.js';
export { type ExactRounding, exactRounding } from './layers/exact-rounding.js';
export { type GreedyOptions, greedyPruning } from './layers/greedy-pruning.js';
export { type IntegerBound, type IntegerBoundOptions, integerBound } from './layers/integer-bound.js';
export type { IntegerProblem } from './layers/integer-problem.js';
export { builtInRoundings } from './layers/layer-options.js';
export * from './layers/layer-range.js';
export { layerRanges } from './layers/layer-ranges.js';
export { magnitudePruning } from './layers/magnitude-pruning.js';
export { nearest, nearestRounding } from './layers/nearest-rounding.js';
export type { PrunedRow, PruningProblem } from './layers/pruning-problem.js';
export type { SearchLimits } from './layers/search-limits.js';
export { type SuccessiveOptions, successive, successiveRounding } from './layers/successive-rounding.js';
export * from './report/compress-report.js';
export * from './report/format-number.js';
export * from './report/report-html.js';
export * from './report/report-layers.js';
export * from './report/safe-text.js';
export * from './report/text-table.js';
export * from './report/weight-histogram.js';
export * from './report/widths-of.js';
export * from './weights-advice/advise-weights.js';
export type { ChannelRows } from './weights-advice/channel-rows.js';
export type { CodeStatistics } from './weights-advice/code-statistics.js';
export * from './weights-advice/huffman-lengths.js';
export {
  type AdviceGranularity,
  type AdviceOptions,
  adviceBits,
  type BitAdvice,
  type PruningFigures,
  type QuantizationFigures,
  type TensorAdvice,
  tensorAdvice,
} from './weights-advice/tensor-advice.js';
export { type WeightTarget, weightTargets } from './weights-advice/weight-targets.js';
