import type { Graph, ValueId } from '@espalier/core';
import type { GraphWriter } from '../quantized-graph.js';
import type { WeightsSettings } from './weights-settings.js';

/** State shared by the forms of the weight-only quantizer while they write. */
export interface WeightsWriting {
  readonly graph: Graph;
  readonly settings: WeightsSettings;
  readonly writer: GraphWriter;
  readonly replaced: Set<ValueId>;
  /** Constants (or one restored value) written so far, by what they were made from. */
  readonly written: Map<string, readonly ValueId[]>;
}
