import { problem } from './errors.js';
import { freshNames } from './fresh-names.js';
import type { Graph, Node, ValueId, ValueInfo } from './graph.js';
import { indexOf } from './graph-index.js';
import { withBodies } from './subgraphs.js';
import type { Tensor } from './tensor.js';

/**
 * A batch of edits against one graph, applied together by `finish()`. A pass makes one draft, notes its edits
 * while it walks the graph it was given, and returns `finish()`: the same object when nothing was noted.
 */
export interface Draft {
  /** Replaces a node by none, one or several that stand in its place. */
  replace(id: string, ...nodes: readonly Node[]): void;
  /** Puts nodes right before the named one (after all earlier insertions there). */
  insertBefore(id: string, ...nodes: readonly Node[]): void;
  /** Puts nodes right after the named one. */
  insertAfter(id: string, ...nodes: readonly Node[]): void;
  /** Puts nodes before all others. */
  prepend(...nodes: readonly Node[]): void;
  /** Puts nodes after all others. */
  append(...nodes: readonly Node[]): void;
  /**
   * Makes every reader of `from`, subgraphs included, read `to` instead; graph outputs keep their names. Nodes that
   * this draft puts in are readers too.
   */
  redirect(from: ValueId, to: ValueId): void;
  /** Adds a constant under a name near `wish`. */
  constant(wish: string, tensor: Tensor): ValueId;
  /** Sets or replaces a constant. */
  setConstant(value: ValueId, tensor: Tensor): void;
  /** Removes a constant. */
  removeConstant(value: ValueId): void;
  /** Sets what is known of a value; `undefined` forgets it. */
  setInfo(value: ValueId, info: ValueInfo | undefined): void;
  setInputs(inputs: readonly ValueId[]): void;
  setOutputs(outputs: readonly ValueId[]): void;
  setOpset(domain: string, version: number): void;
  /** A value name (or node id) near `wish` that neither the graph nor this draft uses. */
  fresh(wish: string): string;
  /** The edited graph, or the very graph that was given when there was nothing to do. */
  finish(): Graph;
}

/** Opens a draft on a graph. Edits are noted, not applied, until `finish()`. */
export function editGraph(graph: Graph): Draft {
  const replaced = new Map<string, readonly Node[]>();
  const before = new Map<string, Node[]>();
  const after = new Map<string, Node[]>();
  const first: Node[] = [];
  const last: Node[] = [];
  const redirected = new Map<ValueId, ValueId>();
  const constants = new Map<ValueId, Tensor | undefined>();
  const infos = new Map<ValueId, ValueInfo | undefined>();
  const heads: { inputs?: readonly ValueId[]; outputs?: readonly ValueId[] } = {};
  const opsets = new Map<string, number>();
  let names: ((wish: string) => string) | undefined;
  const fresh = (wish: string) => {
    names ??= freshNames(namesIn(graph));
    return names(wish);
  };

  const known = (id: string) => {
    if (indexOf(graph).node.has(id)) return id;
    throw problem('GRAPH_UNDEFINED', { where: 'edit', expected: 'the id of a node of the graph', found: `"${id}"` });
  };
  const listIn = (map: Map<string, Node[]>, id: string) => map.get(id) ?? (map.set(known(id), []).get(id) as Node[]); // just set

  return {
    replace: (id, ...nodes) => void replaced.set(known(id), nodes),
    insertBefore: (id, ...nodes) => void listIn(before, id).push(...nodes),
    insertAfter: (id, ...nodes) => void listIn(after, id).push(...nodes),
    prepend: (...nodes) => void first.push(...nodes),
    append: (...nodes) => void last.push(...nodes),
    redirect: (from, to) => void redirected.set(from, to),
    constant(wish, tensor) {
      const value = fresh(wish);
      constants.set(value, tensor);
      return value;
    },
    setConstant: (value, tensor) => void constants.set(value, tensor),
    removeConstant: (value) => void constants.set(value, undefined),
    setInfo: (value, info) => void infos.set(value, info),
    setInputs(inputs) {
      heads.inputs = inputs;
    },
    setOutputs(outputs) {
      heads.outputs = outputs;
    },
    setOpset: (domain, version) => void opsets.set(domain, version),
    fresh,
    finish() {
      const nodesChanged = replaced.size + before.size + after.size + first.length + last.length + redirected.size > 0;
      if (!nodesChanged && constants.size + infos.size + opsets.size === 0 && !heads.inputs && !heads.outputs) {
        return graph;
      }
      const target = resolveRedirects(redirected);
      const place = (node: Node): readonly Node[] => [
        ...(before.get(node.id) ?? []),
        ...(replaced.get(node.id) ?? [node]),
        ...(after.get(node.id) ?? []),
      ];
      const nodes = nodesChanged
        ? [...first, ...graph.nodes.flatMap(place), ...last].map((node) => redirectNode(node, target))
        : graph.nodes;
      return {
        ...graph,
        ...heads,
        nodes,
        constants: merged(graph.constants, constants),
        values: merged(graph.values, infos),
        opsets: merged(graph.opsets, opsets),
      };
    },
  };
}

function merged<V>(base: ReadonlyMap<string, V>, changes: ReadonlyMap<string, V | undefined>): ReadonlyMap<string, V> {
  if (changes.size === 0) return base;
  const out = new Map(base);
  for (const [key, value] of changes) {
    if (value === undefined) out.delete(key);
    else out.set(key, value);
  }
  return out;
}

function resolveRedirects(redirected: ReadonlyMap<ValueId, ValueId>): ReadonlyMap<ValueId, ValueId> {
  const follow = (value: ValueId): ValueId => {
    let end = value;
    for (let hops = 0; redirected.has(end) && hops <= redirected.size; hops++) end = redirected.get(end)!;
    return end;
  };
  return new Map([...redirected.keys()].map((value) => [value, follow(value)]));
}

/** The node with its reads renamed, inside its subgraphs too where they do not define the name themselves. */
export function redirectNode(node: Node, to: ReadonlyMap<ValueId, ValueId>): Node {
  if (to.size === 0) return node;
  const inner = withBodies(node, (body) => redirectBody(body, to));
  const inputs = node.inputs.map((value) => (value === undefined ? value : (to.get(value) ?? value)));
  return inputs.every((value, i) => value === node.inputs[i]) ? inner : { ...inner, inputs };
}

function redirectBody(body: Graph, to: ReadonlyMap<ValueId, ValueId>): Graph {
  const own = new Set<ValueId>(
    [...body.inputs, ...body.constants.keys(), ...body.nodes.flatMap((n) => n.outputs)].filter((v) => v !== undefined),
  );
  const visible = new Map([...to].filter(([from]) => !own.has(from)));
  if (visible.size === 0) return body;
  const nodes = body.nodes.map((node) => redirectNode(node, visible));
  const outputs = body.outputs.map((value) => visible.get(value) ?? value);
  const same = nodes.every((node, i) => node === body.nodes[i]) && outputs.every((v, i) => v === body.outputs[i]);
  return same ? body : { ...body, nodes, outputs };
}

function namesIn(graph: Graph): Set<string> {
  const names = new Set<string>([...graph.inputs, ...graph.constants.keys(), ...graph.values.keys()]);
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      names.add(node.id);
      for (const output of node.outputs) if (output !== undefined) names.add(output);
      for (const attribute of node.attributes.values()) {
        const bodies =
          attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
        for (const body of bodies) {
          for (const value of [...body.inputs, ...body.constants.keys()]) names.add(value);
          visit(body.nodes);
        }
      }
    }
  };
  visit(graph.nodes);
  return names;
}
