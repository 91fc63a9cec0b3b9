import {
  type Attribute,
  type Dim,
  didYouMean,
  type Graph,
  type Node,
  outerReferences,
  problem,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { inferShapes } from './infer-shapes.js';
import { bindDim } from './shapes/dim.js';
import { sameShape } from './shapes/settle.js';

/**
 * Sets new shapes of inputs and infers all others again: a number for a name (`batch` becomes 8), a name for a number,
 * or quite another size. A name that is bound to one size is replaced wherever else the graph mentions it, in other
 * inputs too; behind every other change what the file says of shapes is dropped first, for it is about the old sizes.
 * The same graph comes back when the shapes are what they were and inference finds nothing new.
 *
 * `setInputShapes(graph, new Map([['x', [8, 3, 224, 224]]]))`
 * @throws GRAPH_INPUT for a value that is no input of the graph or a size that is none; GRAPH_SHAPE as `inferShapes`.
 */
export function setInputShapes(graph: Graph, shapes: ReadonlyMap<ValueId, readonly Dim[]>): Graph {
  for (const [input, shape] of shapes) checkInput(graph, input, shape);
  const changed = [...shapes].filter(([input, shape]) => !sameShape(graph.values.get(input)?.shape, shape));
  if (changed.length === 0) return inferShapes(graph);
  const bindings = bindingsOf(graph, changed);
  const fresh = bindings ? bound(graph, bindings) : forgotten(graph, new Set(changed.map(([input]) => input)));
  const values = new Map(fresh.values);
  for (const [input, shape] of changed) values.set(input, { ...values.get(input)!, shape }); // checked above
  return inferShapes({ ...fresh, values });
}

function checkInput(graph: Graph, input: ValueId, shape: readonly Dim[]): void {
  const info = graph.values.get(input);
  if (!graph.inputs.includes(input) || !info || info.container) {
    throw problem('GRAPH_INPUT', {
      where: `graph "${graph.name}"`,
      expected: `one of the inputs ${graph.inputs.map((each) => `"${each}"`).join(', ')}, of a known dtype`,
      found: `"${input}"`,
      fix: `${didYouMean(input, graph.inputs)}Only inputs of the model can be given a shape.`,
    });
  }
  const wrong = shape.find((dim) => (typeof dim === 'number' ? !(Number.isSafeInteger(dim) && dim >= 0) : dim === ''));
  if (wrong !== undefined) {
    throw problem('GRAPH_INPUT', {
      where: `input "${input}"`,
      expected: 'sizes of at least 0 or names',
      found: `[${shape.join(',')}]`,
    });
  }
}

/** The size of each name, if the change only binds names, each to one size. */
function bindingsOf(
  graph: Graph,
  changed: readonly (readonly [ValueId, readonly Dim[]])[],
): ReadonlyMap<string, Dim> | undefined {
  const bindings = new Map<string, Dim>();
  for (const [input, shape] of changed) {
    const before = graph.values.get(input)?.shape;
    if (before?.length !== shape.length) return undefined;
    for (const [axis, old] of before.entries()) {
      const dim = shape[axis]!; // of the same length
      if (old === dim) continue;
      if (typeof old === 'number' || (bindings.get(old) ?? dim) !== dim) return undefined;
      bindings.set(old, dim);
    }
  }
  // A name that one axis gives up and another keeps has lost its meaning.
  const kept = changed.some(([input, shape]) =>
    shape.some((dim, axis) => bindings.has(String(dim)) && graph.values.get(input)?.shape?.[axis] === dim),
  );
  return kept ? undefined : bindings;
}

const bound = (graph: Graph, bindings: ReadonlyMap<string, Dim>): Graph =>
  mapInfos(graph, (info) => (info.shape ? { ...info, shape: info.shape.map((dim) => bindDim(dim, bindings)) } : info));

/** The graph without the shapes of whatever depends on the given values. */
function forgotten(graph: Graph, from: ReadonlySet<ValueId>): Graph {
  const stale = new Set<ValueId>();
  const reads = (value: ValueId | undefined) => value !== undefined && (from.has(value) || stale.has(value));
  const nodes = graph.nodes.map((node) => {
    if (!node.inputs.some(reads) && ![...outerReferences(node)].some(reads)) return node;
    for (const output of node.outputs) if (output !== undefined) stale.add(output);
    return withBodies(node, (body) => mapInfos(body, withoutShape));
  });
  const values = new Map([...graph.values].map(([id, info]) => [id, stale.has(id) ? withoutShape(info) : info]));
  return { ...graph, nodes, values };
}

function withoutShape({ shape: _, ...info }: ValueInfo): ValueInfo {
  return info;
}

/** The graph with every type replaced, in bodies too. */
const mapInfos = (graph: Graph, change: (info: ValueInfo) => ValueInfo): Graph => ({
  ...graph,
  values: new Map([...graph.values].map(([id, info]) => [id, change(info)])),
  nodes: graph.nodes.map((node) => withBodies(node, (body) => mapInfos(body, change))),
});

function withBodies(node: Node, change: (body: Graph) => Graph): Node {
  let attributes: Map<string, Attribute> | undefined;
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind !== 'graph' && attribute.kind !== 'graphs') continue;
    attributes ??= new Map(node.attributes);
    attributes.set(
      name,
      attribute.kind === 'graph'
        ? { kind: 'graph', value: change(attribute.value) }
        : { kind: 'graphs', value: attribute.value.map(change) },
    );
  }
  return attributes ? { ...node, attributes } : node;
}
