import type { Evidence, Need } from './evidence.js';
import type { Graph, ValueId } from './graph.js';
import type { Use } from './graph-index.js';
import type { Tensor } from './tensor.js';

/** A weight tensor to be scored, and the node that reads it. */
export interface PruneTarget {
  readonly value: ValueId;
  readonly weight: Tensor;
  /** Id and op of the node that reads the weight first. */
  readonly node: string;
  readonly op: string;
}

/** The part of one constant that goes with the units of a group, as a score sees it. */
export interface UnitSlice {
  readonly value: ValueId;
  readonly weight: Tensor;
  readonly axis: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  /** Indices per unit. */
  readonly each: number;
  /** `produces`: the weight makes the units. `sums`: a layer sums over them. `keeps`: neither (variances, divisors). */
  readonly role: 'produces' | 'sums' | 'keeps' | 'inner';
  /** Whether the weight is among those that the user lets count; a score of weights leaves the others. */
  readonly counts: boolean;
  /** The nodes that read the constant, and at which input. */
  readonly readers: readonly Use[];
}

/** Where the indices of an activation value are those of the units of a group. */
export interface UnitPlace {
  readonly value: ValueId;
  readonly axis: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  /** Indices per unit. */
  readonly each: number;
}

/** A group of units to be scored: what can only be removed together. */
export interface UnitTarget {
  readonly group: string;
  readonly units: number;
  /** Slices that produce the units come first. */
  readonly slices: readonly UnitSlice[];
  /** Where layers that sum over the units read them, by node and input. Through these the units act on the output. */
  readonly inputs: readonly (UnitPlace & { readonly node: string; readonly slot: number })[];
  /** The same values as they were before pooling and reshaping, each once: what the units' activations are. */
  readonly activations: readonly UnitPlace[];
}

/** Scores single weights; the pruning driver does the rest. */
export interface WeightScorer {
  needs(graph: Graph, targets: readonly PruneTarget[]): readonly Need[];
  /** One score per element, row-major, finite and at least 0; the smallest are pruned first. */
  score(target: PruneTarget, evidence: Evidence): Float32Array;
}

/** Scores whole units: channels, neurons, heads. */
export interface UnitScorer {
  /** Set where the weights play no part, so that a choice of weights would be ignored and is refused. */
  readonly weightless?: boolean;
  needs(graph: Graph, targets: readonly UnitTarget[]): readonly Need[];
  /** One score per unit, finite and at least 0; undefined for a group that it cannot judge, which is left. */
  score(target: UnitTarget, evidence: Evidence): Float64Array | undefined;
}

/**
 * Says how much each weight matters, or each unit. Without `units` the scores of a unit's weights are combined;
 * without `score` only whole units can be pruned.
 */
export type Pruner =
  | (WeightScorer & { readonly units?: UnitScorer })
  | { readonly units: UnitScorer; readonly needs?: never; readonly score?: never };
