import type {
  AdviceOptions,
  AdviceSummary,
  ErrorHistogram,
  LayersAnalysis,
  TheoryCurve,
  WeightAdvice,
  WeightsAdvice,
} from '@espalier/bounds';
import type { EnergyEstimate } from '../costs/energy-estimate.js';
import type { RepresentationDrift } from '../drift/representation-drift.js';
import type { CostSummary, ReportFile } from '../report/compress-report.js';

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
