import {
  type Attribute,
  domainOf,
  type Graph,
  type GraphFunction,
  type Node,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { isOpName } from '../op-names.js';
import { checkedInfo } from './checked-info.js';
import { elementRules } from './element-rules.js';
import { type Elements, elementsOf } from './elements.js';
import { functionBody, functionKey } from './function-body.js';
import { sameInfo, settle } from './settle.js';
import { shapeError } from './shape-error.js';
import { shapeRules } from './shape-rules.js';
import type { BodyInput, BodyResult, Site } from './site.js';

/** State shared by a graph and all the bodies in it. */
export interface Run {
  readonly functions: ReadonlyMap<string, GraphFunction>;
  /** Whether the types that the file gives to intermediate values fill what inference leaves open. */
  readonly trustDeclared: boolean;
  /** The number of body nodes that may still be visited: bodies in bodies multiply, and files are not trusted. */
  budget: number;
  /** The model-local functions being inferred, outermost first: a function may not call itself. */
  readonly calls: readonly string[];
}

/** Looks values up, in the graph itself and in those around it. */
interface Scope {
  readonly opsets: ReadonlyMap<string, number>;
  info(value: ValueId): ValueInfo | undefined;
  elements(value: ValueId): Elements | undefined;
}

/** The surroundings of a body, and the known facts about its inputs. */
interface Surroundings {
  readonly scope?: Scope;
  readonly inputs: readonly BodyInput[];
  /** Put before the names that inference makes, so that no two bodies share them. */
  readonly prefix: string;
}

interface State extends Scope {
  readonly run: Run;
  readonly prefix: string;
  note(value: ValueId, found: ValueInfo | undefined): ValueInfo | undefined;
  noteElements(value: ValueId, elements: Elements): void;
}

/** A graph with all types that can be known, and what is known of its outputs. */
export interface Inferred {
  readonly graph: Graph;
  readonly outputs: readonly BodyInput[];
}

/** Infers one graph: the model, a body, or a function. The same graph object comes back when nothing is new. */
export function inferGraph(graph: Graph, run: Run, around: Surroundings = { inputs: [], prefix: '' }): Inferred {
  const infos = new Map(graph.values);
  const state = openState(graph, { run, around, infos });
  graph.inputs.forEach((input, i) => {
    const given = around.inputs[i];
    if (given?.info) infos.set(input, settle(infos.get(input), given.info)!); // something is given
    if (given?.elements) state.noteElements(input, given.elements);
  });
  let sameNodes = true;
  const nodes = graph.nodes.map((node) => {
    const inferred = inferNode(state, node);
    if (inferred !== node) sameNodes = false;
    return inferred;
  });
  const sameValues =
    infos.size === graph.values.size && [...infos].every(([id, info]) => graph.values.get(id) === info);
  const outputs = graph.outputs.map((value) => ({ info: state.info(value), elements: state.elements(value) }));
  if (sameNodes && sameValues) return { graph, outputs };
  return {
    graph: { ...graph, nodes: sameNodes ? graph.nodes : nodes, values: sameValues ? graph.values : infos },
    outputs,
  };
}

function openState(
  graph: Graph,
  { run, around, infos }: { readonly run: Run; readonly around: Surroundings; readonly infos: Map<ValueId, ValueInfo> },
): State {
  const outer = around.scope;
  const own = new Set(graph.inputs); // names of this graph hide those around it
  const small = new Map<ValueId, Elements | undefined>();
  const elements = (value: ValueId): Elements | undefined => {
    if (small.has(value)) return small.get(value);
    const constant = graph.constants.get(value);
    if (!constant) return own.has(value) ? undefined : outer?.elements(value);
    const found = elementsOf(constant);
    small.set(value, found);
    return found;
  };
  return {
    run,
    prefix: around.prefix,
    opsets: graph.opsets.size > 0 || !outer ? graph.opsets : outer.opsets,
    info: (value) =>
      graph.constants.get(value) ?? infos.get(value) ?? (own.has(value) ? undefined : outer?.info(value)),
    elements,
    note(value, found) {
      own.add(value);
      const before = infos.get(value);
      const kept = run.trustDeclared || !found ? settle(before, found) : sameInfo(before, found) ? before : found;
      if (kept) infos.set(value, kept);
      return kept;
    },
    noteElements: (value, found) => void small.set(value, found),
  };
}

function inferNode(state: State, node: Node): Node {
  const bodies = new Map<string, Graph>();
  const site = siteOf(state, node, bodies);
  const key = functionKey(node);
  const called = state.run.functions.size > 0 ? state.run.functions.get(key) : undefined;
  if (called) {
    const results = inferCall(state, node, called);
    node.outputs.forEach((output, i) => {
      const { info, elements } = results[i] ?? {};
      if (output === undefined) return;
      state.note(output, info);
      if (elements) state.noteElements(output, elements);
    });
    return node;
  }
  const rule = isOpName(node.op) ? shapeRules[node.op] : undefined;
  const found = rule?.(site) ?? [];
  const infos = node.outputs.map((output, i) =>
    output === undefined ? undefined : state.note(output, checkedInfo(site, found[i])),
  );
  const follow = isOpName(node.op) ? elementRules[node.op] : undefined;
  follow?.(site, infos).forEach((elements, i) => {
    const output = node.outputs[i];
    if (elements && output !== undefined) state.noteElements(output, elements);
  });
  return withBodies(node, bodies);
}

function siteOf(state: State, node: Node, bodies: Map<string, Graph>): Site {
  const at = (slot: number): ValueId | undefined => node.inputs[slot];
  const info = (slot: number) => {
    const value = at(slot);
    return value === undefined ? undefined : state.info(value);
  };
  return {
    node,
    opset: state.opsets.get(domainOf(node.op)) ?? 0,
    info,
    dtype: (slot) => info(slot)?.dtype,
    shape(slot) {
      const found = info(slot);
      return found?.container ? undefined : found?.shape;
    },
    elements(slot) {
      const value = at(slot);
      return value === undefined ? undefined : state.elements(value);
    },
    fresh: (axis, output = 0) => `?${plainName(`${state.prefix}${node.outputs[output] ?? node.id}`)}_${axis}`,
    fail: (contradiction) =>
      shapeError(
        node,
        node.inputs.map((_, slot) => info(slot)),
        contradiction,
      ),
    body: (name, inputs) => inferBody(state, node, { name, inputs, bodies }),
  };
}

// Characters that mean something in expressions of sizes are not used in names.
const plainName = (name: string): string => name.replace(/[^\w./:-]/g, '_');

function inferBody(
  state: State,
  node: Node,
  {
    name,
    inputs,
    bodies,
  }: { readonly name: string; readonly inputs: readonly BodyInput[]; readonly bodies: Map<string, Graph> },
): BodyResult | undefined {
  const attribute = node.attributes.get(name);
  if (attribute?.kind !== 'graph') return undefined;
  state.run.budget -= attribute.value.nodes.length + 1;
  if (state.run.budget < 0) return undefined;
  const prefix = `${state.prefix}${node.outputs[0] ?? node.id}/${name}/`;
  const { graph, outputs } = inferGraph(attribute.value, state.run, { scope: state, inputs, prefix });
  bodies.set(name, graph);
  const mark = plainName(prefix);
  return {
    outputs,
    isLocal: (dim) => typeof dim === 'string' && (dim.includes(`?${mark}`) || dim.includes('?size_')),
  };
}

function inferCall(state: State, node: Node, called: GraphFunction): readonly BodyInput[] {
  const key = functionKey(node);
  state.run.budget -= called.nodes.length + 1;
  if (state.run.budget < 0 || state.run.calls.includes(key)) return [];
  const inputs = node.inputs.map((value) =>
    value === undefined ? {} : { info: state.info(value), elements: state.elements(value) },
  );
  const inner: Run = { ...state.run, calls: [...state.run.calls, key] };
  const prefix = `${state.prefix}${node.outputs[0] ?? node.id}/`;
  const { outputs } = inferGraph(functionBody(called, node), inner, { inputs, prefix });
  state.run.budget = inner.budget;
  return outputs;
}

function withBodies(node: Node, bodies: ReadonlyMap<string, Graph>): Node {
  let attributes: Map<string, Attribute> | undefined;
  for (const [name, value] of bodies) {
    const before = node.attributes.get(name);
    if (before?.kind === 'graph' && before.value === value) continue;
    attributes ??= new Map(node.attributes);
    attributes.set(name, { kind: 'graph', value });
  }
  return attributes ? { ...node, attributes } : node;
}
