import { type Graph, subgraphsOf, type Tensor, type ValueId } from '@espalier/core';
import type { EncodeContext } from './encode-context.js';
import { encodeNode } from './encode-node.js';
import { encodeSparseTensor } from './encode-sparse-tensor.js';
import { encodeTensor } from './encode-tensor.js';
import { encodeType } from './encode-type.js';
import { entriesFrom } from './metadata.js';
import type { Draft } from './schema.js';

/**
 * A graph as a GraphProto. Types of values that the graph no longer defines are left out.
 * @throws ONNX_UNWRITABLE.
 */
export function encodeGraph(context: EncodeContext, graph: Graph): Draft<'Graph'> {
  const info = (name: ValueId): Draft<'ValueInfo'> => {
    const known = graph.values.get(name) ?? graph.constants.get(name);
    return { name, type: known && encodeType(known) };
  };
  const inner = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((name): name is ValueId => name !== undefined && graph.values.has(name));
  const outputs = new Set(graph.outputs);
  return {
    name: graph.name,
    node: graph.nodes.map((node) => encodeNode(context, node)),
    ...encodeConstants(context, graph.constants),
    input: graph.inputs.map(info),
    output: graph.outputs.map(info),
    value_info: inner.filter((name) => !outputs.has(name)).map(info),
    doc_string: graph.doc,
    metadata_props: entriesFrom(graph.metadata),
  };
}

function encodeConstants(context: EncodeContext, constants: ReadonlyMap<ValueId, Tensor>) {
  const dense: Draft<'Tensor'>[] = [];
  const sparse: Draft<'SparseTensor'>[] = [];
  for (const [name, tensor] of constants) {
    const thin = context.sparse ? encodeSparseTensor(tensor, name) : undefined;
    if (thin) sparse.push(thin);
    else dense.push(encodeTensor(tensor, { name, external: context.external(tensor) }));
  }
  return { initializer: dense, sparse_initializer: sparse };
}

/** A graph and all graphs inside its nodes, outermost first. */
export const withSubgraphs = (graph: Graph): readonly Graph[] => [
  graph,
  ...graph.nodes.flatMap((node) => subgraphsOf(node).flatMap(withSubgraphs)),
];
