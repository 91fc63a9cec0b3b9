import { type Draft, definePlugin, editGraph, type Graph, indexOf, type Node, type ValueId } from '@espalier/core';
import { sameValue } from './identity/same-value.js';
import { shortcut } from './identity/shortcut.js';
import { untilStable } from './in-order.js';

/**
 * Removes nodes that return what they are given: Identity, Dropout outside of training, and Cast, Reshape, Transpose,
 * Pad, Slice, Concat, Expand and arithmetic that change nothing, by what is known of types and constants. Two
 * Transposes, Reshapes or exact Casts in a row become one. Graph outputs keep their names: the node that makes the
 * value takes the output's name, and where that cannot be, the node stays.
 */
export function removeIdentity(graph: Graph): Graph {
  // Every round shortens what is left of a chain by half at least, or removes a node.
  return untilStable(removeOnce, { name: 'remove-identity', limit: graph.nodes.length + 2 })(graph);
}

function removeOnce(graph: Graph): Graph {
  const removal = begin(graph);
  for (const node of graph.nodes) visit(removal, node);
  return removal.draft.finish();
}

interface Removal {
  readonly graph: Graph;
  readonly draft: Draft;
  readonly outputs: ReadonlySet<ValueId>;
  /** The new name of each removed value. */
  readonly alias: Map<ValueId, ValueId>;
  /** Nodes as they stand now, where they differ from the graph's. */
  readonly current: Map<string, Node>;
  /** Values that may not take another name: inputs, outputs, constants. */
  readonly fixed: ReadonlySet<ValueId>;
}

const begin = (graph: Graph): Removal => ({
  graph,
  draft: editGraph(graph),
  outputs: new Set(graph.outputs),
  alias: new Map(),
  current: new Map(),
  fixed: new Set([...graph.inputs, ...graph.outputs, ...graph.constants.keys()]),
});

function visit(removal: Removal, node: Node): void {
  const { graph, draft } = removal;
  const output = node.outputs[0];
  const same = sameValue(graph, node);
  if (same !== undefined && output !== undefined) {
    if (!removal.outputs.has(output)) {
      removal.alias.set(output, same);
      draft.redirect(output, same);
      draft.replace(node.id);
    } else renameMaker(removal, { node, from: resolve(removal, same), to: output });
    return;
  }
  const shorter = shortcut(graph, node);
  if (!shorter) return;
  removal.current.set(node.id, shorter);
  draft.replace(node.id, shorter);
}

function resolve({ alias }: Removal, value: ValueId): ValueId {
  let end = value;
  while (alias.has(end)) end = alias.get(end)!;
  if (end !== value) alias.set(value, end); // so that long chains are walked once
  return end;
}

/** Lets the node that makes `from` call it by the name of the graph output `to`. */
function renameMaker(removal: Removal, { node, from, to }: { node: Node; from: ValueId; to: ValueId }): void {
  const { graph, draft, current, fixed, alias } = removal;
  const maker = indexOf(graph).producer.get(from);
  // A value that has taken an output's name already is fixed, too.
  if (!maker || fixed.has(from) || alias.has(from)) return;
  const now = current.get(maker.id) ?? maker;
  const renamed = { ...now, outputs: now.outputs.map((value) => (value === from ? to : value)) };
  current.set(maker.id, renamed);
  draft.replace(maker.id, renamed);
  draft.replace(node.id);
  draft.redirect(from, to);
  draft.setInfo(from, undefined);
  alias.set(from, to);
}

/** Removes identities. */
export const removeIdentityPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'remove-identity',
  about: 'Removes nodes that return what they are given.',
  options: {},
  create: () => removeIdentity,
});
