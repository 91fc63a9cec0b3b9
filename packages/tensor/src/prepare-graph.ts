import { checkGraph, EspalierError, editGraph, type Graph, type Node, opsetOf, tensorInfo } from '@espalier/core';
import { beyondForm, inferShapes, isEvaluated } from '@espalier/ops';
import { convertOpset, inlineFunctions, lowerings } from '@espalier/passes';
import { unsupportedForm, unsupportedOp } from './errors.js';
import { kernelForm } from './kernel-forms.js';
import { kernelOf } from './kernel-of.js';
import { withoutUnreadOutputs } from './without-unread-outputs.js';

/** The opset whose forms the kernels compute. Newer ones changed no meaning; `kernelForms` declines what they added. */
const opset = 21;

/**
 * The graph as it is run: local functions are inlined, ops of older opsets take today's form, custom ops that `runs`
 * says have no kernel of their own are lowered to standard ones, and every node is checked to be of a form that is run.
 * @throws EXECUTOR_UNSUPPORTED_OP, PASS_LOWERING, GRAPH_*.
 */
export function prepareGraph(given: Graph, runs = (op: string): boolean => kernelOf(op) !== undefined): Graph {
  const graph = inTodaysOpset(withoutUnreadOutputs(inlineFunctions(checkGraph(given))));
  const lower = new Map(Object.entries(lowerings));
  const foreign = graph.nodes.filter((node) => !runs(node.op) && lower.has(node.op));
  const lowered = foreign.length > 0 ? lowerNodes(inferShapes(graph)) : graph;
  for (const node of lowered.nodes) checkForm(lowered, node, runs);
  return lowered;

  function lowerNodes(typed: Graph): Graph {
    const draft = editGraph(typed);
    for (const node of foreign)
      draft.replace(node.id, ...lower.get(node.op)!(node, { graph: typed, draft, qdq: true })); // foreign ones have one
    return draft.finish();
  }
}

function checkForm(graph: Graph, node: Node, runs: (op: string) => boolean): void {
  const form = kernelForm(node.op);
  if (!form || (!runs(node.op) && !isEvaluated(node.op))) throw unsupportedOp(node);
  const data = node.inputs[0];
  const found = beyondForm(form, node, data === undefined ? undefined : tensorInfo(graph, data)?.dtype);
  if (found) throw unsupportedForm(node, found);
}

function inTodaysOpset(graph: Graph): Graph {
  const from = opsetOf(graph);
  if (from === 0 || from >= opset) return graph;
  try {
    return convertOpset(graph, opset);
  } catch (cause) {
    const refused = cause instanceof EspalierError && cause.code === 'PASS_OPSET' ? cause : undefined;
    const node = graph.nodes.find(({ id }) => id === refused?.details['node']);
    // A node with bodies is no op of this executor, whatever in it could not be converted.
    if (node) throw unsupportedForm(node, String(refused!.details['found'])); // refused named the node
    throw cause;
  }
}
