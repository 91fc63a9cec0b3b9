import type { DataFlags, SharedFlags } from './flags.js';
import type { InputFlags } from './input-flags.js';

/** Flags of `analyze` as they were typed. */
export interface AnalyzeFlags extends SharedFlags, DataFlags, InputFlags {
  readonly bits: string;
  readonly layers: readonly string[];
  readonly granularity: string;
  readonly bounds?: true;
  readonly against?: string;
  readonly report?: string;
}
