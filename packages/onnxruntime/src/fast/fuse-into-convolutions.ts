import { editGraph, type Graph, indexOf, type Node, text, type ValueId } from '@espalier/core';
import { blockedDomain } from './blocked-writer.js';

/**
 * Has blocked convolutions add what is added to their result alone, then apply the Relu that follows. `sums` are the
 * results of additions that do not broadcast.
 */
export const fuseIntoConvolutions = (graph: Graph, sums: ReadonlySet<ValueId>): Graph =>
  fuse(fuse(graph, withSum(sums)), withRelu);

type Fusion = (reader: Node, convolution: (value: ValueId | undefined) => Node | undefined) => Fused | undefined;

interface Fused {
  /** Taken out. */
  readonly from: Node;
  /** Stands where the reader stood. */
  readonly into: Node;
}

function fuse(graph: Graph, fusion: Fusion): Graph {
  const { producer, uses } = indexOf(graph);
  const kept = new Set(graph.outputs);
  const draft = editGraph(graph);
  const gone = new Set<string>();
  const convolution = (value: ValueId | undefined): Node | undefined => {
    const node = value === undefined ? undefined : producer.get(value);
    if (node?.op !== `${blockedDomain}::Conv` || gone.has(node.id) || node.attributes.has('activation'))
      return undefined;
    return uses.get(value!)?.length === 1 && !kept.has(value!) ? node : undefined;
  };
  for (const reader of graph.nodes) {
    const fused = fusion(reader, convolution);
    if (!fused) continue;
    gone.add(fused.from.id);
    draft.replace(fused.from.id);
    draft.replace(reader.id, fused.into);
  }
  return draft.finish();
}

const withSum =
  (sums: ReadonlySet<ValueId>): Fusion =>
  (reader, convolution) => {
    if (!sums.has(reader.outputs[0]!)) return undefined;
    const [a, b] = reader.inputs;
    for (const [value, other] of [
      [b, a],
      [a, b],
    ]) {
      const from = convolution(value);
      if (!from || other === undefined || from.inputs[3] !== undefined) continue;
      const [x, w, bias] = from.inputs;
      return { from, into: { ...from, inputs: [x, w, bias, other], outputs: reader.outputs } };
    }
    return undefined;
  };

const withRelu: Fusion = (reader, convolution) => {
  const from = reader.op === 'Relu' ? convolution(reader.inputs[0]) : undefined;
  if (!from) return undefined;
  const attributes = new Map(from.attributes).set('activation', text('Relu'));
  return { from, into: { ...from, attributes, outputs: reader.outputs } };
};
