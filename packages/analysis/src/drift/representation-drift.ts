import { type Executor, type Graph, type Session, sizeOf, type Tensor, type ValueId } from '@espalier/core';
import { numbersOf } from '@espalier/ops';
import { type Batches, samplesIn } from '../comparison/batches.js';
import type { CostOptions } from '../costs/costs-of.js';
import { noSamples } from '../errors.js';
import {
  comparableValues,
  type Feeds,
  type SkippedValue,
  singleFeeds,
  valueGroups,
} from '../layer-errors/comparable-values.js';
import { driftBetween, type ValueDrift } from './drift-between.js';

/** Options for comparing two models. */
export interface DriftOptions extends CostOptions {
  readonly executor: Executor;
  readonly batches: Batches;
  /** Samples to look at. Default: 64. Alignment means little below a few dozen. */
  readonly samples?: number;
  /** Bytes of activations kept at a time, those of both models together. Default: 256 MB. */
  readonly groupBytes?: number;
  /** Values to compare. Default: the outputs of all layers that multiply, of Add, and of the graph. */
  readonly values?: readonly ValueId[];
  /** Told between groups of values: the share done, 0 to 1. */
  readonly progress?: (done: number) => void;
}

/** Drift at the output of one layer. */
export interface LayerDrift extends ValueDrift {
  readonly node: string;
  readonly op: string;
}

/** Drift by layer, in topological order. */
export interface RepresentationDrift {
  readonly layers: readonly LayerDrift[];
  readonly skipped: readonly SkippedValue[];
  readonly samples: number;
}

/**
 * The drift between the representations of two models, layer by layer, on the same samples: signal-to-noise ratio
 * and linear CKA of values of the same name. Other than an error, alignment stays high where a layer has merely been
 * rotated or scaled, and it compares layers of different widths. Activations are fetched in groups of layers, so that
 * memory stays near `groupBytes`. @throws ANALYSIS_EMPTY without samples.
 */
export async function representationDrift(
  before: Graph,
  after: Graph,
  { executor, batches, samples = 64, groupBytes = 2 ** 28, values, progress, ...sizes }: DriftOptions,
): Promise<RepresentationDrift> {
  const { wanted, skipped } = comparableValues(before, after, values);
  const feeds = await singleFeeds(before, { batches, samples });
  if (feeds.length === 0) throw noSamples('representation drift');
  const groups = valueGroups(before, {
    wanted: wanted.map(({ value }) => value),
    groupBytes: groupBytes / (2 * feeds.length),
    ...sizes,
  });
  const drift = new Map<ValueId, ValueDrift>();
  for (const [i, group] of groups.entries()) {
    const run = { executor, group, feeds };
    for (const each of driftBetween(await activations(before, run), await activations(after, run))) {
      drift.set(each.value, each);
    }
    progress?.((i + 1) / groups.length);
  }
  return {
    layers: wanted.map(({ value, node }) => ({ ...drift.get(value)!, node: node.id, op: node.op })),
    skipped,
    samples: feeds.reduce((sum, feed) => sum + samplesIn(feed), 0),
  };
}

interface GroupRun {
  readonly executor: Executor;
  readonly group: readonly ValueId[];
  readonly feeds: readonly Feeds[];
}

/** The values of a group for all samples, stacked along the first axis. */
async function activations(graph: Graph, { executor, group, feeds }: GroupRun): Promise<ReadonlyMap<ValueId, Tensor>> {
  const parts = new Map<ValueId, Tensor[]>(group.map((value) => [value, []]));
  const session: Session = await executor.open({ ...graph, outputs: group }, { optimize: false });
  try {
    for (const feed of feeds) {
      const outputs = await session.run(feed);
      for (const value of group) parts.get(value)!.push(outputs.get(value)!); // sessions return what is asked
    }
  } finally {
    await session.close();
  }
  return new Map(group.map((value) => [value, stacked(parts.get(value)!, samplesIn(feeds[0]!))]));
}

/** Joins runs of `rows` samples each. A value whose first axis does not count samples is one sample a run. */
function stacked(parts: readonly Tensor[], rows: number): Tensor {
  const shape = parts[0]!.shape; // one part for each feed, and there are some
  const each = shape[0] === rows ? [rows, ...shape.slice(1)] : [1, ...shape];
  const size = parts.reduce((sum, part) => sum + sizeOf(part.shape), 0);
  const data = new Float32Array(size);
  let at = 0;
  for (const part of parts) {
    data.set(numbersOf(part), at);
    at += sizeOf(part.shape);
  }
  return { dtype: 'float32', shape: [each[0]! * parts.length, ...each.slice(1)], data };
}
