import { type Attribute, createGraph, type Graph, type GraphFunction, type Node } from '@espalier/core';

/** The key of a model-local function, and of the nodes that call it. */
export const functionKey = ({ op, overload }: { readonly op: string; readonly overload?: string }): string =>
  overload ? `${op}:${overload}` : op;

/** The body of a function as a graph, with its parameters replaced by what the calling node gives. */
export function functionBody(called: GraphFunction, call: Node): Graph {
  const given = (name: string): Attribute | undefined => call.attributes.get(name) ?? called.defaults.get(name);
  return createGraph({
    name: called.op,
    inputs: called.inputs,
    outputs: called.outputs,
    nodes: called.nodes.map((node) => bindNode(node, given)),
    values: called.values,
    opsets: called.opsets,
  });
}

type Lookup = (name: string) => Attribute | undefined;

function bindNode(node: Node, given: Lookup): Node {
  const bound = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    const value = bindAttribute(attribute, given);
    if (value) bound.set(name, value);
  }
  return { ...node, attributes: bound };
}

// A parameter that the call leaves out and that has no default is an attribute that is not there.
function bindAttribute(attribute: Attribute, given: Lookup): Attribute | undefined {
  switch (attribute.kind) {
    case 'reference':
      return given(attribute.value);
    case 'graph':
      return { kind: 'graph', value: bindGraph(attribute.value, given) };
    case 'graphs':
      return { kind: 'graphs', value: attribute.value.map((body) => bindGraph(body, given)) };
    default:
      return attribute;
  }
}

const bindGraph = (body: Graph, given: Lookup): Graph => ({
  ...body,
  nodes: body.nodes.map((node) => bindNode(node, given)),
});
