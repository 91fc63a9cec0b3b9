import {
  type Executor,
  type Graph,
  indexOf,
  isFloat,
  type Node,
  type Session,
  type Tensor,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import { type Batches, rowsOf, samplesIn } from '../comparison/batches.js';
import { createErrorMeter, type ErrorMeter, type ErrorStats } from '../comparison/error-meter.js';
import { type CostOptions, costsOf } from '../costs/costs-of.js';
import { macRuleOf } from '../costs/mac-rules.js';
import { noSamples } from '../errors.js';

/** How layers are compared. */
export interface LayerErrorOptions extends CostOptions {
  readonly executor: Executor;
  readonly batches: Batches;
  /** Samples to look at; 8 unless said otherwise. */
  readonly samples?: number;
  /** Bytes of intermediate values that one run may return; 64 MB unless said otherwise. */
  readonly groupBytes?: number;
  /** Values to compare; the outputs of all layers that multiply, of Add, and of the graph unless said otherwise. */
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
 * another shape (a pruned channel), are skipped with the reason. The runtime is told not to
 * rewrite the graphs: errors are those of the arithmetic that the graphs describe, not of a runtime's fused kernels.
 * @throws ANALYSIS_EMPTY without samples.
 */
export async function layerErrors(
  original: Graph,
  changed: Graph,
  { executor, batches, samples = 8, groupBytes = 2 ** 26, values, progress, ...sizes }: LayerErrorOptions,
): Promise<LayerErrors> {
  const { wanted, skipped } = comparable(original, changed, values);
  const feeds = await singles(original, { batches, samples });
  if (feeds.length === 0) throw noSamples('layer errors');
  const meters = new Map(wanted.map(({ value }) => [value, createErrorMeter(`value "${value}"`)]));
  const reshaped = new Set<ValueId>();
  const groups = groupsOf(original, { wanted: wanted.map(({ value }) => value), groupBytes, ...sizes });
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

type Feeds = ReadonlyMap<string, Tensor>;

interface Wanted {
  readonly value: ValueId;
  readonly node: Node;
}

function comparable(original: Graph, changed: Graph, values: readonly ValueId[] | undefined) {
  const made = new Set(changed.nodes.flatMap((node) => node.outputs));
  const chosen = values ? new Set(values) : undefined;
  const outputs = new Set(original.outputs);
  const skipped: { value: ValueId; reason: string }[] = [];
  const wanted: Wanted[] = [];
  for (const node of original.nodes) {
    const value = node.outputs[0];
    if (value === undefined) continue;
    const telling = chosen ? chosen.has(value) : macRuleOf(node.op) || node.op === 'Add' || outputs.has(value);
    if (!telling) continue;
    const info = tensorInfo(original, value);
    if (info && !isFloat(info.dtype)) continue;
    if (made.has(value)) wanted.push({ value, node });
    else skipped.push({ value, reason: 'the changed model does not have it' });
  }
  return { wanted, skipped };
}

/** Single samples from the front of the batches; as many rows at a time as an input fixes. */
async function singles(
  graph: Graph,
  { batches, samples }: { readonly batches: Batches; readonly samples: number },
): Promise<readonly Feeds[]> {
  const feeds: Feeds[] = [];
  const lead = graph.inputs.map((name) => graph.values.get(name)?.shape?.[0]).find((dim) => typeof dim === 'number');
  const step = typeof lead === 'number' && lead > 0 ? lead : 1;
  for await (const batch of batches) {
    const fed = new Map([...batch].filter(([name]) => graph.inputs.includes(name)));
    for (let from = 0; from < samplesIn(fed) && feeds.length < samples; from += step) {
      feeds.push(new Map([...fed].map(([name, tensor]) => [name, rowsOf(tensor, { from, count: step })])));
    }
    if (feeds.length >= samples) break;
  }
  return feeds;
}

function groupsOf(
  graph: Graph,
  { wanted, groupBytes, ...sizes }: { readonly wanted: readonly ValueId[]; readonly groupBytes: number } & CostOptions,
): readonly (readonly ValueId[])[] {
  const bytes = new Map(costsOf(graph, sizes).nodes.map(({ node, outputBytes }) => [node, outputBytes]));
  const { producer } = indexOf(graph);
  const groups: ValueId[][] = [];
  let room = 0;
  for (const value of wanted) {
    const size = bytes.get(producer.get(value)?.id ?? '') ?? groupBytes / 8; // where it is not known: a guess
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = groupBytes;
    }
    groups.at(-1)!.push(value);
    room -= size;
  }
  return groups;
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
