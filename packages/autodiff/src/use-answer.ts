import type { Graph, ValueId } from '@espalier/core';
import type { ParameterRole } from './parameter-slots.js';

/** The role of a constant at a node: a parameter, or the reason why not. `settles` rules it out everywhere. */
export type UseAnswer =
  | { readonly role: ParameterRole }
  | { readonly role?: never; readonly reason: string; readonly settles?: true };

/** The known facts about the values that a walk has reached. */
export interface Flow {
  readonly graph: Graph;
  /** Values that depend on an input of the graph or on a layer, as opposed to constants. */
  readonly active: ReadonlySet<ValueId>;
  /** Values that depend on a layer. */
  readonly behindLayer: ReadonlySet<ValueId>;
  /** Constants that stay what they are, whatever else reads them. */
  readonly settled: ReadonlySet<ValueId>;
}
