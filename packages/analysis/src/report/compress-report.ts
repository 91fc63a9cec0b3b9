import type { Note } from '@espalier/core';
import type { Comparison } from '../comparison/compare-sessions.js';
import type { ClassifierMetrics } from '../comparison/evaluate-session.js';
import type { LatencyPair } from '../comparison/latency.js';
import type { Costs } from '../costs/costs.js';
import type { CompressedSizes } from '../inspection/compressed-sizes.js';
import type { Coverage } from '../inspection/coverage-of.js';
import type { LayerSummary } from '../inspection/inspection.js';
import type { Widths } from './widths.js';

/** A model on disk. */
export interface ReportFile {
  readonly path: string;
  readonly format: string;
  /** With its external data. */
  readonly bytes: number;
  readonly sha256?: string;
}

/** One step of a run: what it did and how long it took. */
export interface ReportStep {
  /** The kind of step: `pass`, `prune`, `quantize`, … */
  readonly step: string;
  /** The plugin that did it. */
  readonly use: string;
  readonly seconds: number;
  readonly notes: readonly Note[];
}

/** Counts of a weight tensor over equal bins, before and after, on the same axis. */
export interface WeightHistogram {
  readonly min: number;
  readonly max: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** One layer before and after; null where a thing is not known or no longer there. */
export interface ReportLayer {
  readonly node: string;
  readonly op: string;
  /** The value it makes, under which it is found in both models. */
  readonly value: string | null;
  readonly before: LayerSummary;
  readonly after: LayerSummary | null;
  /** Signal-to-noise ratio of its output: all error gathered up to here. */
  readonly snrDb: number | null;
  /** Signal-to-noise ratio of its weight alone. */
  readonly weightSnrDb: number | null;
  readonly histogram: WeightHistogram | null;
}

/** Totals of a model. See `Costs`. */
export interface CostSummary {
  readonly parameters: number;
  readonly nonZero: number;
  readonly weightBytes: number;
  readonly macs: number | null;
  readonly bops: number | null;
  readonly peakActivationBytes: number;
}

/** The data that both models ran on for the comparison. */
export interface FedData {
  /** Name of the data set; null where nothing was run. */
  readonly data: string | null;
  /** `held-out`: samples of the calibration source that ranges were not measured on. */
  readonly role: 'evaluation' | 'held-out' | 'calibration' | 'made' | 'none';
  /** Made inputs in words, one each: `input_ids int64[1,64] random whole numbers below 512`. */
  readonly inputs: readonly string[];
  /** Why nothing was run. */
  readonly reason?: string;
}

/** The account of one compression run, as plain JSON (`report.json`). */
export interface CompressReport {
  /** Version of this form. */
  readonly espalierReport: 1;
  readonly input: ReportFile;
  readonly output: ReportFile;
  readonly steps: readonly ReportStep[];
  readonly costs: { readonly before: CostSummary; readonly after: CostSummary };
  readonly sizes: { readonly before: CompressedSizes; readonly after: CompressedSizes } | null;
  readonly layers: readonly ReportLayer[];
  /** Widths before and after, where channels, heads or neurons were removed; `widthsOf` gathers them. */
  readonly widths: Widths | null;
  /** Null where nothing could be run: see `fed`. */
  readonly comparison: Comparison | null;
  readonly fed: FedData;
  /** Measured on evaluation data; null without it. */
  readonly metrics: { readonly before: ClassifierMetrics | null; readonly after: ClassifierMetrics | null };
  readonly latency: (LatencyPair & { readonly runtime: string }) | null;
  readonly coverage: Coverage | null;
  readonly warnings: readonly string[];
  /** The recipe with every default filled in. */
  readonly recipe: unknown;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
}

/** The totals of `costsOf` as plain JSON. */
export const costSummary = (costs: Costs): CostSummary => ({
  parameters: costs.parameters,
  nonZero: costs.nonZero,
  weightBytes: costs.bytes,
  macs: costs.macs ?? null,
  bops: costs.bops ?? null,
  peakActivationBytes: costs.activations.peakBytes,
});
