import type { EnergyEstimate } from '../costs/energy-estimate.js';
import type { RepresentationDrift } from '../drift/representation-drift.js';
import type { LayerRange } from '../layers/layer-range.js';
import type { CostSummary, ReportFile } from '../report/compress-report.js';
import type { AdviceSummary, WeightAdvice, WeightsAdvice } from '../weights-advice/advise-weights.js';
import type { AdviceOptions } from '../weights-advice/tensor-advice.js';
import type { ErrorHistogram } from './error-histogram.js';
import type { TheoryCurve } from './kurtosis-crossovers.js';

/** The range between heuristic and bound at one layer. */
export interface LayerAnalysis extends LayerRange {
  readonly node: string;
  readonly op: string;
  readonly weight: string;
  /** The group of a grouped convolution that was looked at, of how many. */
  readonly group: number;
  readonly groups: number;
}

/** Ranges of layers, and those that could not be examined. */
export interface LayersAnalysis {
  readonly layers: readonly LayerAnalysis[];
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
  /** Where the inputs of the layers came from. */
  readonly data: string;
  readonly samples: number;
}

/** Drift from one model to another. */
export interface ReportDrift extends RepresentationDrift {
  readonly against: ReportFile;
  readonly data: string;
}

/** "Prune or quantize?" for one model, as plain JSON (`analysis.json`). */
export interface AnalyzeReport {
  /** Version of this form. */
  readonly espalierAnalysis: 1;
  readonly input: ReportFile;
  readonly options: Required<AdviceOptions>;
  readonly costs: CostSummary;
  /** A model, not a measurement; null where nothing could be counted. */
  readonly energy: EnergyEstimate | null;
  readonly weights: readonly WeightAdvice[];
  readonly skipped: WeightsAdvice['skipped'];
  /** The number of tensors that favour each method, by bit width. */
  readonly summary: readonly AdviceSummary[];
  /** The theory's prediction for tensors of each kurtosis. */
  readonly theory: readonly TheoryCurve[];
  /** Errors of the largest tensors at one bit width. */
  readonly errors: readonly { readonly weight: string; readonly histogram: ErrorHistogram }[];
  /** Output errors with heuristics and bounds; null unless they were asked for. */
  readonly layers: LayersAnalysis | null;
  readonly drift: ReportDrift | null;
  readonly warnings: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly seconds: number;
}
