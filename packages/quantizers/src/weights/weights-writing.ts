import type { ValueId } from '@espalier/core';
import type { NodeWriting } from '../node-by-node.js';
import type { WeightsSettings } from './weights-settings.js';

/** The state that the forms of the weight-only quantizer share while they write. */
export interface WeightsWriting extends NodeWriting {
  readonly settings: WeightsSettings;
  /** Values restored in this graph, by what they were made from. */
  readonly restored: Map<string, ValueId>;
}
