import { type Graph, indexOf, isFloat, type Node, type Tensor, tensorInfo, type ValueId } from '@espalier/core';
import { multiplies } from '@espalier/ops';
import { type Batches, rowsOf, samplesIn } from '../comparison/batches.js';
import { type CostOptions, costsOf } from '../costs/costs-of.js';

/** The feeds of one run, by input name. */
export type Feeds = ReadonlyMap<string, Tensor>;

/** A value that cannot be compared, and why. */
export interface SkippedValue {
  readonly value: ValueId;
  readonly reason: string;
}

/** A value to compare and the node that makes it. */
export interface Wanted {
  readonly value: ValueId;
  readonly node: Node;
}

/**
 * The values of two graphs that can be compared by name: those chosen, else the outputs of all layers that multiply, of
 * Add, and of the graph.
 */
export function comparableValues(
  original: Graph,
  changed: Graph,
  values: readonly ValueId[] | undefined,
): { readonly wanted: readonly Wanted[]; readonly skipped: readonly SkippedValue[] } {
  const made = new Set(changed.nodes.flatMap((node) => node.outputs));
  const chosen = values ? new Set(values) : undefined;
  const outputs = new Set(original.outputs);
  const skipped: SkippedValue[] = [];
  const wanted: Wanted[] = [];
  for (const node of original.nodes) {
    const value = node.outputs[0];
    if (value === undefined) continue;
    const telling = chosen ? chosen.has(value) : multiplies(node.op) || node.op === 'Add' || outputs.has(value);
    if (!telling) continue;
    const info = tensorInfo(original, value);
    if (info && !isFloat(info.dtype)) continue;
    if (made.has(value)) wanted.push({ value, node });
    else skipped.push({ value, reason: 'the changed model does not have it' });
  }
  return { wanted, skipped };
}

/** Single samples from the front of the batches; as many rows at a time as an input fixes. */
export async function singleFeeds(
  graph: Graph,
  {
    batches,
    samples,
    whole = false,
  }: { readonly batches: Batches; readonly samples: number; readonly whole?: boolean },
): Promise<readonly Feeds[]> {
  const feeds: Feeds[] = [];
  const lead = graph.inputs.map((name) => graph.values.get(name)?.shape?.[0]).find((dim) => typeof dim === 'number');
  const step = typeof lead === 'number' && lead > 0 ? lead : 1;
  for await (const batch of batches) {
    const fed = new Map([...batch].filter(([name]) => graph.inputs.includes(name)));
    const count = whole ? 1 : samplesIn(fed);
    if (count === 1) feeds.push(fed);
    for (let from = 0; count > 1 && from < count && feeds.length < samples; from += step) {
      feeds.push(new Map([...fed].map(([name, tensor]) => [name, rowsOf(tensor, { from, count: step })])));
    }
    if (feeds.length >= samples) break;
  }
  return feeds;
}

/** Cuts values into groups whose bytes for one sample fit `groupBytes`, as far as sizes are known. */
export function valueGroups(
  graph: Graph,
  {
    wanted,
    groupBytes,
    sizes,
    rules,
  }: { readonly wanted: readonly ValueId[]; readonly groupBytes: number } & CostOptions,
): readonly (readonly ValueId[])[] {
  const bytes = new Map(
    costsOf(graph, { ...(sizes ? { sizes } : {}), ...(rules ? { rules } : {}) }).nodes.map(({ node, outputBytes }) => [
      node,
      outputBytes,
    ]),
  );
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
