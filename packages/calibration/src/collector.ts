import type { Evidence, Graph, Need, StatisticName, Statistics, Tensor, ValueId } from '@espalier/core';
import type { GradientOf } from './gradient-of.js';
import type { StatisticsGraph } from './statistics-graph.js';

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

/** Collectors by the name of their statistic. */
export type Collectors = { readonly [S in StatisticName]?: Collector<S> };
