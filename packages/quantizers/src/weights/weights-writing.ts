import type { ValueId } from '@espalier/core';
import type { NodeWriting } from '../node-by-node.js';
import type { WeightsSettings } from './weights-settings.js';

/** What the forms of the weight-only quantizer share while they write. */
export interface WeightsWriting extends NodeWriting {
  readonly settings: WeightsSettings;
  /** Constants (or one restored value) written so far, by what they were made from. */
  readonly written: Map<string, readonly ValueId[]>;
}
