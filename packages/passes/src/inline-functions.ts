import {
  createNode,
  definePlugin,
  editGraph,
  type Graph,
  type GraphFunction,
  type Node,
  subgraphsOf,
} from '@espalier/core';
import { functionBody, functionKey } from '@espalier/ops';
import { inlineBranch } from './inline-branch.js';

// Functions may call functions; a chain longer than this is a circle.
const deepest = 32;
const mostNodes = 1_000_000;

/**
 * Replaces each call of a model-local function by the nodes of its body, so that its weights are ordinary inputs of
 * ordinary ops. Calls are left where a body needs another version of an operator set than the model has, or where the
 * calls never end. Functions that nothing calls any more are removed.
 */
export function inlineFunctions(graph: Graph): Graph {
  if (graph.functions.length === 0) return graph;
  let current = graph;
  for (let round = 0; round < deepest; round++) {
    const next = inlineOnce(current);
    if (next === current) break;
    current = next;
  }
  return withoutUncalled(current);
}

function inlineOnce(graph: Graph): Graph {
  const functions = new Map(graph.functions.map((each) => [functionKey(each), each]));
  const calledBy = (node: Node): GraphFunction | undefined => functions.get(functionKey(node));
  if (!graph.nodes.some((node) => canInline(graph, calledBy(node)))) return graph;
  const { fresh } = editGraph(graph);
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const called = calledBy(node);
    if (!called || !canInline(graph, called)) return [node];
    const inlined = inlineBranch(node, bodyFor(node, called), fresh);
    for (const [value, tensor] of inlined.constants) constants.set(value, tensor);
    for (const [value, info] of inlined.values) values.set(value, info);
    return inlined.nodes;
  });
  if (nodes.length > mostNodes) return graph;
  const opsets = new Map([...graph.functions.flatMap((each) => [...each.opsets]), ...graph.opsets]);
  return { ...graph, nodes, constants, values, opsets };
}

function canInline(graph: Graph, called: GraphFunction | undefined): boolean {
  if (!called) return false;
  return [...called.opsets].every(([domain, version]) => (graph.opsets.get(domain) ?? version) === version);
}

/** The body of a function with the names of its inputs replaced by what the call gives. */
function bodyFor(call: Node, called: GraphFunction): Graph {
  const body = functionBody(called, call);
  const given = new Map(called.inputs.map((name, slot) => [name, call.inputs[slot]]));
  const passed = called.outputs.filter((output) => called.inputs.includes(output));
  // An output that is an input needs a node of its own to carry the new name.
  const carried = passed.map((value) =>
    createNode({ id: `${call.id}_${value}`, op: 'Identity', inputs: [given.get(value)], outputs: [`${value}_out`] }),
  );
  return {
    ...body,
    inputs: [],
    outputs: body.outputs.map((output) => (passed.includes(output) ? `${output}_out` : output)),
    nodes: [
      ...body.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((value) => (value !== undefined && given.has(value) ? given.get(value) : value)),
      })),
      ...carried,
    ],
  };
}

function withoutUncalled(graph: Graph): Graph {
  const functions = new Map(graph.functions.map((each) => [functionKey(each), each]));
  const called = new Set<GraphFunction>();
  const waiting = [...graph.nodes];
  for (const node of waiting) {
    waiting.push(...subgraphsOf(node).flatMap(({ nodes }) => nodes));
    const found = functions.get(functionKey(node));
    if (!found || called.has(found)) continue;
    called.add(found);
    waiting.push(...found.nodes);
  }
  return called.size === graph.functions.length
    ? graph
    : { ...graph, functions: graph.functions.filter((each) => called.has(each)) };
}

/** Inlines local functions. */
export const inlineFunctionsPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'inline-functions',
  about: 'Replaces calls of model-local functions by the nodes of their bodies.',
  options: {},
  create: () => inlineFunctions,
});
