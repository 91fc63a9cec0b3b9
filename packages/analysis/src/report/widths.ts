import type { BeforeAfter } from './before-after.js';
/** The change of the units of one group. */
export interface WidthRow {
  readonly group: string;
  /** The layer that makes the units, and its op. */
  readonly node: string | null;
  readonly op: string | null;
  /** The kind of unit. */
  readonly unit: 'channel' | 'head' | 'head-dimension';
  /** Channels of the layer that a unit is: those of a head, say. */
  readonly each: number;
  readonly units: BeforeAfter;
  /** The number of layers that produce the same units, one after the other or side by side. */
  readonly layers: number;
  /** Weights and multiply-accumulates of those layers. */
  readonly parameters: BeforeAfter;
  readonly macs: BeforeAfter<number | null>;
}

/** A group that lost nothing, and why. */
export interface KeptGroup {
  readonly group: string;
  readonly units: number;
  readonly reason: string;
}

/** The widths of a network before and after channels were removed. */
export interface Widths {
  readonly groups: readonly WidthRow[];
  readonly kept: readonly KeptGroup[];
}
