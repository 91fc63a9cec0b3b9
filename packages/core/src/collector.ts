import type { GraphBuilder } from './build-graph.js';
import type { Emitter } from './emitter.js';
import type { Evidence, Need, StatisticName, Statistics } from './evidence.js';
import type { Graph, ValueId } from './graph.js';
import type { Tensor } from './tensor.js';

/** A need for one statistic. */
export type NeedOf<S extends StatisticName> = Extract<Need, { readonly statistic: S }>;

/** The outputs that were added to the graph for one need, and the treatment of their values. */
export interface Probe<Answer> {
  /** Values to fetch from every batch; small ones. */
  readonly fetch: readonly ValueId[];
  /** Takes in the fetched values of one batch, in the order of `fetch`, and how many samples the batch has. */
  add(found: readonly Tensor[], samples: number): void;
  /** The statistic over all batches; called once, after the last. */
  answer(): Answer;
}

/** Collects one statistic: nodes added to the graph, and arithmetic on their outputs per batch. */
export interface Collector<S extends StatisticName> {
  /** The values of the graph that a need reads; they must exist. Constants among them are answered by `ofConstant`. */
  values(need: NeedOf<S>, graph: Graph): readonly ValueId[];
  /** Needs whose answers must be there first, from an earlier pass over the data. */
  after?(need: NeedOf<S>): readonly Need[];
  /** Smallest opset of the default domain in which the added nodes exist; any when left out. */
  readonly opset?: number;
  /** The targets of the gradients that it needs; `statistics.gradient` then names these gradients. */
  gradients?(need: NeedOf<S>): readonly GradientOf[];
  /** Adds the nodes. `earlier` holds the answers asked for by `after`. @throws CALIBRATION_NEED. */
  probe(need: NeedOf<S>, statistics: StatisticsGraph, earlier: Evidence): Probe<Statistics[S]['answer']>;
  /** The answer for a constant, on the host. Without it, constants run through the graph like any value. */
  ofConstant?(need: NeedOf<S>, tensor: Tensor): Statistics[S]['answer'];
}

/** A collector whose statistic is only known at run time. */
export type AnyCollector = { readonly [S in StatisticName]: Collector<S> }[StatisticName];

/** Collectors by the name of their statistic. */
export type Collectors = { readonly [S in StatisticName]?: Collector<S> };

/** The target of a gradient of the loss: a constant, or the value at one input of a node. */
export type GradientOf = ValueId | { readonly node: string; readonly slot: number };

/** A reduction that every opset has. */
export type Reduction = 'ReduceL1' | 'ReduceMin' | 'ReduceMax' | 'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare';

/** The part of a builder that adds nodes; the bodies of loops have it too. */
export type Adder = Pick<GraphBuilder, 'add'>;

/** A graph under observation: the model, and the nodes that condense its values. */
export interface StatisticsGraph extends Pick<Emitter, 'once' | 'longs' | 'scalar'> {
  /** The model, without additions. */
  readonly model: Graph;
  readonly builder: GraphBuilder;
  /** The value as float32. */
  asFloat(value: ValueId): ValueId;
  /** The value as float32[A, C, B], where C is `axis`, A all axes before and B all after it. */
  around(value: ValueId, axis: number): ValueId;
  /**
   * The sum of absolute values, a float32 scalar that is NaN exactly when the value holds NaN. The smallest and the
   * largest value do not tell: the reductions of a runtime may pass over a NaN.
   */
  magnitude(value: ValueId): ValueId;
  /** Reduces over `axes`, or over everything, in the form this opset wants. */
  reduce(op: Reduction, value: ValueId, options?: ReduceOptions): ValueId;
  /**
   * The value that holds the gradient of the loss, and for what a node reads also `read`, the value that it is to.
   * Only for what the collector said under `gradients`.
   */
  gradient(of: GradientOf): { readonly gradient: ValueId; readonly read: ValueId };
}

/** Options of a reduction. */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  readonly keep?: boolean;
  /** Where the node goes; the graph itself when left out. */
  readonly into?: Adder;
}
