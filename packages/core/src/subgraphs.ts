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
