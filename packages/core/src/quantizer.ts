import type { Evidence, Need } from './evidence.js';
import type { Graph } from './graph.js';
import type { Outcome } from './outcome.js';

/** Turns a float graph into a quantized one. */
export interface Quantizer {
  /** The statistics that calibration must collect; none for data-free quantizers. */
  needs(graph: Graph): readonly Need[];
  quantize(graph: Graph, evidence: Evidence): Outcome;
}
