import type { Executor, Graph, Session, ValueId } from '@espalier/core';
import type { Batches } from '../comparison/batches.js';
import { createErrorMeter, type ErrorMeter, type ErrorStats } from '../comparison/error-meter.js';
import type { CostOptions } from '../costs/costs-of.js';
import { noSamples } from '../errors.js';
import { comparableValues, type Feeds, singleFeeds, valueGroups } from './comparable-values.js';

/** Options for comparing layers. */
export interface LayerErrorOptions extends CostOptions {
  readonly executor: Executor;
  readonly batches: Batches;
  /** Samples to look at. Default: 8. */
  readonly samples?: number;
  /** Whether each batch is one whole feed, whose first axes do not number samples. Default: false. */
  readonly whole?: boolean;
  /** Bytes of intermediate values that one run may return. Default: 64 MB. */
  readonly groupBytes?: number;
  /** Values to compare. Default: the outputs of all layers that multiply, of Add, and of the graph. */
  readonly values?: readonly ValueId[];
  /** Told between groups of values: the share done, 0 to 1. */
  readonly progress?: (done: number) => void;
}

/** The difference that has gathered at the output of one layer. */
export interface LayerError extends ErrorStats {
  readonly value: ValueId;
  readonly node: string;
  readonly op: string;
}

/** Errors by layer, in topological order, and what could not be compared. */
export interface LayerErrors {
  readonly layers: readonly LayerError[];
  readonly skipped: readonly { readonly value: ValueId; readonly reason: string }[];
  readonly samples: number;
}

/**
 * Compares values of the same name in two graphs on the same samples, layer by layer. The error at a layer is all
 * that has gathered up to there: that of its weights, of its inputs, and of the layers before. Values are fetched in
 * groups, one sample at a time, so memory stays bounded; values that the changed graph no longer has, or has in
 * another shape (a pruned channel), are skipped with the reason. The runtime must not
 * rewrite the graphs, so errors are those of the arithmetic that the graphs describe, not of a runtime's fused kernels.
 * @throws ANALYSIS_EMPTY without samples.
 */
export async function layerErrors(
  original: Graph,
  changed: Graph,
  {
    executor,
    batches,
    samples = 8,
    whole = false,
    groupBytes = 2 ** 26,
    values,
    progress,
    ...sizes
  }: LayerErrorOptions,
): Promise<LayerErrors> {
  const { wanted, skipped } = comparableValues(original, changed, values);
  const feeds = await singleFeeds(original, { batches, samples, whole });
  if (feeds.length === 0) throw noSamples('layer errors');
  const meters = new Map(wanted.map(({ value }) => [value, createErrorMeter(`value "${value}"`)]));
  const reshaped = new Set<ValueId>();
  const groups = valueGroups(original, { wanted: wanted.map(({ value }) => value), groupBytes, ...sizes });
  for (const [i, group] of groups.entries()) {
    for (const value of await meterGroup([original, changed], { executor, group, feeds, meters })) reshaped.add(value);
    progress?.((i + 1) / groups.length);
  }
  return {
    layers: wanted
      .filter(({ value }) => !reshaped.has(value))
      .map(({ value, node }) => ({ value, node: node.id, op: node.op, ...meters.get(value)!.read() })),
    skipped: [...skipped, ...[...reshaped].map((value) => ({ value, reason: 'its shape has changed' }))],
    samples: feeds.length,
  };
}

interface GroupRun {
  readonly executor: Executor;
  readonly group: readonly ValueId[];
  readonly feeds: readonly Feeds[];
  readonly meters: ReadonlyMap<ValueId, ErrorMeter>;
}

/** Feeds both graphs and meters the values of one group; returns those whose shapes differ. */
async function meterGroup(graphs: readonly Graph[], { executor, group, feeds, meters }: GroupRun) {
  const different = new Set<ValueId>();
  const sessions: Session[] = [];
  try {
    // Without rewriting, both graphs compute what they say, whichever values are fetched.
    for (const graph of graphs) sessions.push(await executor.open({ ...graph, outputs: group }, { optimize: false }));
    const [left, right] = sessions as [Session, Session]; // one for each of two graphs
    for (const feed of feeds) {
      const [a, b] = [await left.run(feed), await right.run(feed)];
      for (const value of group) {
        const [x, y] = [a.get(value), b.get(value)];
        if (!x || !y || different.has(value)) continue;
        if (x.shape.join() === y.shape.join()) meters.get(value)!.addTensors(x, y);
        else different.add(value);
      }
    }
  } finally {
    for (const session of sessions) await session.close();
  }
  return different;
}
