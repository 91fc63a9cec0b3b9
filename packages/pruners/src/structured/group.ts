import type { Role, ValueId } from '@espalier/core';

/** The part of one constant that goes with the units of a group: the same number of indices of an axis for each. */
export interface Slice {
  readonly value: ValueId;
  readonly axis: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  /** Indices per unit. */
  readonly each: number;
  readonly role: Role;
}

/**
 * Units of one kind: each is the smallest set of slices that can only be removed together, and all touch the same
 * axes of the same constants equally often.
 */
export interface Group {
  /** The constant that makes the units, and its axis: `conv1.weight/0`. */
  readonly id: string;
  readonly units: number;
  /** The weight that makes the units comes first. */
  readonly slices: readonly Slice[];
  readonly prunable: boolean;
  /** Why the units cannot be removed. */
  readonly reason?: string;
  /** Set where a unit is an attention head, or the same place of every head, between two products with a softmax in between. */
  readonly attention?: 'head' | 'head-dimension';
  /** Whether removing differs from zeroing: a mean or variance is taken over the units. */
  readonly changesStatistics?: boolean;
}
