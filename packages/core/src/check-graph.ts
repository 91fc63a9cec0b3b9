import { storageLength } from './dtype.js';
import { problem } from './errors.js';
import type { Graph, ValueId } from './graph.js';
import { didYouMean } from './nearest.js';
import { outerReferences, subgraphsOf } from './subgraphs.js';
import { sizeOf } from './tensor.js';

/**
 * Checks what every algorithm relies on: unique node ids and value names, nodes after what they read, every read
 * and every graph output defined, constants whose storage fits their shape. Returns the same graph.
 * @throws GRAPH_DUPLICATE, GRAPH_UNDEFINED (a cycle shows as a read before its definition), GRAPH_CONSTANT.
 */
export const checkGraph = (graph: Graph): Graph => checkWithin(graph, () => false);

function checkWithin(graph: Graph, outer: (value: ValueId) => boolean): Graph {
  const defined = new Set<ValueId>();
  const visible = (value: ValueId) => defined.has(value) || outer(value);
  const define = (value: ValueId, where: string) => {
    if (defined.has(value)) {
      throw problem('GRAPH_DUPLICATE', {
        where,
        expected: 'each value to be defined once',
        found: `"${value}" defined again`,
        fix: 'Rename one of the two.',
        details: { value },
      });
    }
    defined.add(value);
  };
  const read = (value: ValueId, where: string) => {
    if (visible(value)) return;
    throw problem('GRAPH_UNDEFINED', {
      where,
      expected: 'a value that an input, a constant or an earlier node defines',
      found: `"${value}"`,
      fix: `${didYouMean(value, [...defined].slice(0, 5000))}Nodes must stand in topological order, without cycles.`,
      details: { value },
    });
  };

  for (const value of graph.inputs) define(value, `graph "${graph.name}", inputs`);
  for (const [value, { dtype, shape, data }] of graph.constants) {
    define(value, `constant "${value}"`);
    if (data.length !== storageLength(dtype, sizeOf(shape))) {
      throw problem('GRAPH_CONSTANT', {
        where: `constant "${value}"`,
        expected: `${storageLength(dtype, sizeOf(shape))} stored elements for ${dtype}[${shape.join(',')}]`,
        found: `${data.length}`,
        details: { value },
      });
    }
  }
  const ids = new Set<string>();
  for (const node of graph.nodes) {
    const where = `node "${node.id}" (${node.op})`;
    if (ids.has(node.id)) {
      throw problem('GRAPH_DUPLICATE', { where, expected: 'unique node ids', found: `"${node.id}" twice` });
    }
    ids.add(node.id);
    for (const value of node.inputs) if (value !== undefined) read(value, where);
    for (const value of outerReferences(node)) read(value, `${where}, subgraph`);
    for (const body of subgraphsOf(node)) checkWithin(body, visible);
    for (const value of node.outputs) if (value !== undefined) define(value, where);
  }
  for (const value of graph.outputs) read(value, `graph "${graph.name}", outputs`);
  return graph;
}
