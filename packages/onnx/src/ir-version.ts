import type { DType, Graph, GraphFunction, Node } from '@espalier/core';
import { dataTypes } from './data-types.js';
import { withSubgraphs } from './encode-graph.js';

/** Written when a graph does not come from a file: what onnxruntime has read since 1.10. */
const usual = 8;

/** The newest that runtimes read; files that say more need nothing of it unless their parts do. */
const newest = 13;

/**
 * The IR version to write: the one the graph came with, at most 13, raised to what its parts need. Weights outside the inputs
 * need 4, sparse weights 6, functions 8, overloads and metadata of nodes and graphs 10, each dtype its own.
 */
export function irVersionOf(graph: Graph, sparse: boolean): number {
  const graphs = [graph, ...graph.functions.flatMap((each) => each.nodes.flatMap(bodiesOf))].flatMap(withSubgraphs);
  const needs = [
    Math.min(graph.provenance.irVersion ?? usual, newest),
    4,
    sparse ? 6 : 0,
    ...graph.functions.map(functionNeeds),
    ...graphs.map((each) => (each.metadata ? 10 : 0)),
    ...graphs.flatMap((each) => [...each.constants.values(), ...each.values.values()]).map(({ dtype }) => since(dtype)),
    ...graphs.flatMap((each) => each.nodes).map(nodeNeeds),
  ];
  return needs.reduce((most, need) => Math.max(most, need), 0);
}

const since = (dtype: DType): number => dataTypes[dtype].since;

const bodiesOf = (node: Node): readonly Graph[] =>
  [...node.attributes.values()].flatMap((each) =>
    each.kind === 'graph' ? [each.value] : each.kind === 'graphs' ? each.value : [],
  );

const functionNeeds = (each: GraphFunction): number =>
  Math.max(each.overload || each.metadata || each.values.size > 0 ? 10 : 8, ...each.nodes.map(nodeNeeds));

function nodeNeeds(node: Node): number {
  let need = node.overload || node.metadata ? 10 : 0;
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'tensor') need = Math.max(need, since(attribute.value.dtype));
    if (attribute.kind === 'tensors') need = Math.max(need, ...attribute.value.map(({ dtype }) => since(dtype)));
  }
  return need;
}
