import { checkGraph, type Graph, type GraphFunction } from '@espalier/core';
import { encodeAttributes } from './encode-attribute.js';
import type { EncodeContext } from './encode-context.js';
import { encodeGraph } from './encode-graph.js';
import { encodeMessage } from './encode-message.js';
import { encodeNode } from './encode-node.js';
import { encodeType } from './encode-type.js';
import { irVersionOf } from './ir-version.js';
import { entriesFrom } from './metadata.js';
import { splitOpName } from './op-name.js';
import type { Draft } from './schema.js';
import { createWireWriter } from './wire-writer.js';

/** The encoded bytes of one message and their number. */
export interface EncodedModel {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
}

/** A graph as the bytes of a ModelProto. @throws ONNX_UNWRITABLE, GRAPH_*. */
export function encodeModel(graph: Graph, options: Omit<EncodeContext, 'graph'>): EncodedModel {
  checkGraph(graph);
  const context: EncodeContext = { ...options, graph: (inner) => encodeGraph(context, inner) };
  const { provenance } = graph;
  const writer = createWireWriter();
  encodeMessage(writer, 'Model', {
    ir_version: irVersionOf(graph, options.sparse),
    producer_name: provenance.producer,
    producer_version: provenance.producerVersion,
    domain: provenance.domain,
    model_version: provenance.modelVersion,
    doc_string: provenance.doc,
    graph: encodeGraph(context, graph),
    opset_import: encodeOpsets(graph.opsets),
    metadata_props: entriesFrom(provenance.metadata),
    functions: graph.functions.map((each) => encodeFunction(context, each)),
  });
  return { chunks: writer.chunks(), length: writer.length };
}

const encodeOpsets = (opsets: ReadonlyMap<string, number>): readonly Draft<'OperatorSet'>[] =>
  [...opsets].map(([domain, version]) => ({ domain: domain || undefined, version }));

function encodeFunction(context: EncodeContext, each: GraphFunction): Draft<'Function'> {
  const { domain, name } = splitOpName(each.op);
  return {
    name,
    domain,
    overload: each.overload,
    input: each.inputs,
    output: each.outputs,
    attribute: each.parameters,
    attribute_proto: encodeAttributes(context, each.defaults, `function "${each.op}"`),
    node: each.nodes.map((node) => encodeNode(context, node)),
    value_info: [...each.values].map(([value, info]) => ({ name: value, type: encodeType(info) })),
    opset_import: encodeOpsets(each.opsets),
    doc_string: each.doc,
    metadata_props: entriesFrom(each.metadata),
  };
}
