import type { Attribute } from './attribute.js';
import type { Graph, Node, ValueId } from './graph.js';

/** The subgraphs a node carries as attributes (bodies of If, Loop, Scan), in attribute order. */
export function subgraphsOf(node: Node): readonly Graph[] {
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') found.push(attribute.value);
    if (attribute.kind === 'graphs') found.push(...attribute.value);
  }
  return found;
}

/** The node with each of its subgraphs replaced by what `change` makes of it; the same node where all stay the same. */
export function withBodies(node: Node, change: (body: Graph) => Graph): Node {
  if (subgraphsOf(node).length === 0) return node;
  let changed = false;
  const made = (body: Graph) => {
    const next = change(body);
    changed ||= next !== body;
    return next;
  };
  const attributes = new Map<string, Attribute>();
  for (const [name, each] of node.attributes) {
    if (each.kind === 'graph') attributes.set(name, { kind: 'graph', value: made(each.value) });
    else attributes.set(name, each.kind === 'graphs' ? { kind: 'graphs', value: each.value.map(made) } : each);
  }
  return changed ? { ...node, attributes } : node;
}

/** A subgraph with the constants and types of the graph around it in sight; its own names come first. */
export const inSight = (body: Graph, outer: Graph): Graph => ({
  ...body,
  opsets: outer.opsets,
  functions: outer.functions,
  constants: new Map([...outer.constants, ...body.constants]),
  values: new Map([...outer.values, ...body.values]),
});

const known = new WeakMap<Node, ReadonlySet<ValueId>>();
const none: ReadonlySet<ValueId> = new Set();

/** The values of the surrounding graph that a node's subgraphs read, at any depth. */
export function outerReferences(node: Node): ReadonlySet<ValueId> {
  const bodies = subgraphsOf(node);
  if (bodies.length === 0) return none;
  let references = known.get(node);
  if (!references) {
    references = new Set(bodies.flatMap(freeValues));
    known.set(node, references);
  }
  return references;
}

function freeValues(body: Graph): readonly ValueId[] {
  const own = new Set<ValueId>([...body.inputs, ...body.constants.keys()]);
  const free: ValueId[] = [];
  const read = (value: ValueId) => {
    if (!own.has(value)) free.push(value);
  };
  for (const node of body.nodes) {
    for (const value of node.inputs) if (value !== undefined) read(value);
    for (const value of outerReferences(node)) read(value);
    for (const value of node.outputs) if (value !== undefined) own.add(value);
  }
  body.outputs.forEach(read);
  return free;
}
