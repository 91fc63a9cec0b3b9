export { type AnalyzeOptions, analyzeGraph, type WeightsReport } from './analyze-report/analyze-graph.js';
export { analyzeHtml } from './analyze-report/analyze-html.js';
export * from './analyze-report/analyze-report.js';
export { driftMarkup } from './analyze-report/layer-figures.js';
export type { Batch, Batches } from './comparison/batches.js';
export * from './comparison/class-rows.js';
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
export { type EnergyEstimate, energyEstimate } from './costs/energy-estimate.js';
export * from './drift/drift-between.js';
export * from './drift/linear-cka.js';
export * from './drift/representation-drift.js';
export * from './inspection/compressed-sizes.js';
export * from './inspection/coverage-of.js';
export { type InspectOptions, inspectGraph } from './inspection/inspect-graph.js';
export * from './inspection/inspection.js';
export type { SkippedValue } from './layer-errors/comparable-values.js';
export * from './layer-errors/layer-errors.js';
export { type WeightError, weightErrors } from './layer-errors/weight-errors.js';
export type { BeforeAfter } from './report/before-after.js';
export * from './report/compress-report.js';
export {
  formatBytes,
  formatCount,
  formatDb,
  formatDifference,
  formatShare,
  significant,
} from './report/format-number.js';
export * from './report/outcome-of.js';
export * from './report/report-html.js';
export * from './report/report-layers.js';
export * from './report/safe-text.js';
export * from './report/text-table.js';
export * from './report/weight-histogram.js';
export type { KeptGroup, WidthRow, Widths } from './report/widths.js';
export * from './report/widths-of.js';
