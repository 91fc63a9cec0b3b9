export { decibels, snrLimits } from './decibels.js';
export {
  type Distribution,
  kurtosis,
  type MomentOrder,
  secondMoment,
  truncated,
} from './distributions/distribution.js';
export { expectedPruningError, type PruningError } from './distributions/expected-pruning-error.js';
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
export { type TheoryCurve, type TheoryPoint, theoryCurves } from './distributions/theory-curves.js';
export * from './distributions/uniform.js';
export { type ExamineOptions, examineLayers } from './examine/examine-layers.js';
export { type LayerTarget, layerTargets } from './examine/layer-targets.js';
export type { LayerAnalysis, LayersAnalysis } from './examine/layers-analysis.js';
export { type ExactPruning, exactPruning } from './layers/exact-pruning.js';
export { type ExactRounding, exactRounding } from './layers/exact-rounding.js';
export { type GreedyOptions, greedyPruning } from './layers/greedy-pruning.js';
export { type IntegerBound, type IntegerBoundOptions, integerBound } from './layers/integer-bound.js';
export type { IntegerProblem } from './layers/integer-problem.js';
export { builtInRoundings } from './layers/layer-options.js';
export * from './layers/layer-range.js';
export { layerRanges } from './layers/layer-ranges.js';
export { magnitudePruning } from './layers/magnitude-pruning.js';
export type { PrunedRow, PruningProblem } from './layers/pruning-problem.js';
export type { SearchLimits } from './layers/search-limits.js';
export * from './weights-advice/advise-weights.js';
export type { ChannelRows } from './weights-advice/channel-rows.js';
export type { CodeStatistics } from './weights-advice/code-statistics.js';
export { type ErrorHistogram, errorHistogram } from './weights-advice/error-histogram.js';
export {
  type AdviceGranularity,
  type AdviceOptions,
  adviceBits,
  type BitAdvice,
  checkedAdvice,
  type PruningFigures,
  type QuantizationFigures,
  type TensorAdvice,
  tensorAdvice,
} from './weights-advice/tensor-advice.js';
export { type WeightTarget, weightTargets } from './weights-advice/weight-targets.js';
