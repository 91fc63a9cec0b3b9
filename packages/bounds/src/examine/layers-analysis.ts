import type { LayerRange } from '../layers/layer-range.js';

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
