import { byteLength, type Graph, inSight, type Node, subgraphsOf, type ValueId, withBodies } from '@espalier/core';

const small = 1024; // bytes

/**
 * The graph with the body of each If, Loop and Scan changed. A body sees the types around it and small constants
 * only: what is computed from a large one would stand in each body that reads it. A body stays as it was where a new
 * name would hide one of the graph around it.
 */
export function simplifyBodies(graph: Graph, change: (body: Graph) => Graph): Graph {
  if (!graph.nodes.some((node) => subgraphsOf(node).length > 0)) return graph;
  const around = { ...graph, constants: smallConstants(graph) };
  const taken = definedIn(graph);
  const nodes = graph.nodes.map((node) =>
    withBodies(node, (body) => {
      const simple = ownPart(change(inSight(body, around)), { body, around });
      const before = definedIn(body);
      const hides = [...definedIn(simple)].some((value) => taken.has(value) && !before.has(value));
      return hides || isSame(simple, body) ? body : simple;
    }),
  );
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
}

const smallConstants = ({ constants }: Graph): Graph['constants'] =>
  new Map([...constants].filter(([, tensor]) => tensor.dtype !== 'string' && byteLength(tensor) <= small));

/** A simplified body without what it only saw; constants from around that became its outputs are kept. */
function ownPart(simple: Graph, { body, around }: { readonly body: Graph; readonly around: Graph }): Graph {
  const outer = ([value, tensor]: readonly [ValueId, unknown]) =>
    !body.constants.has(value) && around.constants.get(value) === tensor;
  const constants = new Map([...simple.constants].filter((entry) => !outer(entry)));
  const own = new Set([...simple.inputs, ...constants.keys(), ...simple.nodes.flatMap(outputsOf)]);
  const values = new Map([...simple.values].filter(([value]) => own.has(value)));
  return { ...simple, opsets: body.opsets, functions: body.functions, constants, values };
}

const outputsOf = (node: Node): readonly ValueId[] => node.outputs.filter((value) => value !== undefined);

const definedIn = ({ inputs, constants, nodes }: Graph): ReadonlySet<ValueId> =>
  new Set([...inputs, ...constants.keys(), ...nodes.flatMap(outputsOf)]);

const isSame = (a: Graph, b: Graph): boolean =>
  a.constants.size === b.constants.size &&
  a.nodes.length === b.nodes.length &&
  a.nodes.every((node, i) => node === b.nodes[i]);
