import { type Attribute, definePlugin, type Graph, type Node } from '@espalier/core';

/**
 * Removes what exporters write about nodes for debugging: doc strings and metadata of nodes (stack traces, paths of
 * the author's machine, class names), in subgraphs and functions too. Metadata of the model itself (class names, image
 * sizes) stays, as programs read it.
 */
export function stripMetadata(graph: Graph): Graph {
  const nodes = stripNodes(graph.nodes);
  const functions = graph.functions.map((each) => {
    const body = stripNodes(each.nodes);
    return body === each.nodes ? each : { ...each, nodes: body };
  });
  const same = nodes === graph.nodes && functions.every((each, i) => each === graph.functions[i]);
  return same ? graph : { ...graph, nodes, functions };
}

function stripNodes(nodes: readonly Node[]): readonly Node[] {
  const stripped = nodes.map(stripNode);
  return stripped.every((node, i) => node === nodes[i]) ? nodes : stripped;
}

function stripNode(node: Node): Node {
  const attributes = stripAttributes(node.attributes);
  if (node.doc === undefined && node.metadata === undefined && attributes === node.attributes) return node;
  const { doc: _, metadata: __, ...rest } = node;
  return { ...rest, attributes };
}

function stripAttributes(attributes: Node['attributes']): Node['attributes'] {
  const stripped = new Map([...attributes].map(([name, attribute]) => [name, stripAttribute(attribute)]));
  return [...attributes].every(([name, attribute]) => stripped.get(name) === attribute) ? attributes : stripped;
}

function stripAttribute(attribute: Attribute): Attribute {
  if (attribute.kind === 'graph') {
    const value = stripBody(attribute.value);
    return value === attribute.value ? attribute : { kind: 'graph', value };
  }
  if (attribute.kind !== 'graphs') return attribute;
  const value = attribute.value.map(stripBody);
  return value.every((body, i) => body === attribute.value[i]) ? attribute : { kind: 'graphs', value };
}

function stripBody(body: Graph): Graph {
  const nodes = stripNodes(body.nodes);
  return nodes === body.nodes ? body : { ...body, nodes };
}

/** Strips metadata of nodes. */
export const stripMetadataPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'strip-metadata',
  about: 'Removes doc strings and metadata that exporters attach to nodes, such as stack traces.',
  options: {},
  create: () => stripMetadata,
});
