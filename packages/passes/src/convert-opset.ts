import {
  EspalierError,
  editGraph,
  type Graph,
  type Node,
  opsetOf,
  subgraphsOf,
  type Tensor,
  tensorInfo,
  usesOf,
  type ValueId,
  withBodies,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { opsetOutOfReach, opsetRefused, opsetTooOld } from './errors.js';
import { earlyBroadcastRules } from './opset/early-broadcast.js';
import { earlyFormRules } from './opset/early-forms.js';
import { partSince } from './opset/late-forms.js';
import { movedAttributeRules } from './opset/moved-attributes.js';
import { normalizationRules } from './opset/normalization.js';
import { resizeRules } from './opset/resize.js';
import type { Conversion, OpsetRule } from './opset/rule.js';
import { softmaxRules } from './opset/softmax.js';

/** The opsets that `convertOpset` knows all changes of. */
export const convertibleOpsets = { oldest: 1, newest: 28 } as const;

/** No op has changed its meaning since: from here on the way back is open too. */
const settled = 23;

const rules: ReadonlyMap<string, readonly OpsetRule[]> = inOrderOfOpsets([
  earlyBroadcastRules,
  earlyFormRules,
  movedAttributeRules,
  resizeRules,
  softmaxRules,
  normalizationRules,
]);

/** The changes of each op from all tables. The sort keeps the order of those of one opset. */
function inOrderOfOpsets(tables: readonly Readonly<Record<string, readonly OpsetRule[]>>[]) {
  const merged = new Map<string, readonly OpsetRule[]>();
  for (const table of tables)
    for (const [op, list] of Object.entries(table))
      merged.set(
        op,
        [...(merged.get(op) ?? []), ...list].sort((a, b) => a.since - b.since),
      );
  return merged;
}

/**
 * The same model in another version of the default ONNX operator set, bodies of If, Loop and Scan included. Ops whose
 * form changed on the way (attributes that became inputs, other defaults, other meanings) are written in the new one;
 * all others mean the same in both. Types are inferred first where a rewrite needs them. An older version than the
 * model's can be reached down to 23, while no node uses what came later.
 * @throws PASS_OPSET naming the node that the other opset cannot express exactly; for older versions than the model's
 *   below 23, and outside of opset 1 to 28.
 */
export function convertOpset(graph: Graph, version: number): Graph {
  const from = opsetOf(graph);
  if (version === from) return graph;
  const { oldest, newest } = convertibleOpsets;
  // Without a version there are no ops of the set, as in models of `ai.onnx.ml` alone.
  const opsets = new Map(graph.opsets).set('', version);
  if (!graph.opsets.has('') && version >= oldest && version <= newest) return { ...graph, opsets };
  if (from < oldest || version > newest || !Number.isInteger(version)) {
    throw opsetOutOfReach(from, { to: version, expected: `versions from ${oldest} to ${newest}` });
  }
  if (version < Math.min(from, settled)) {
    throw opsetOutOfReach(from, { to: version, expected: 'a version no older than the model, or from 23 on' });
  }
  if (version < from) return { ...lowered(graph, version), opsets };
  refuseFunctions(graph, version);
  const changes = changesOf(graph, from, version);
  if (changes.length === 0) return { ...graph, opsets };
  const known = changes.some((rule) => rule.typed) ? typed(graph) : graph;
  const { nodes, constants } = convertBody(known, { from, version, fresh: editGraph(graph).fresh, outer: [] });
  return { ...graph, nodes, constants, opsets };
}

/** The same graph. @throws PASS_OPSET for a node with a part that is newer. */
function lowered(graph: Graph, version: number): Graph {
  for (const node of [...graph.nodes, ...graph.functions.flatMap(({ nodes }) => nodes)]) {
    const found = partSince(node, version);
    if (found) throw opsetTooOld(node, { version, found });
    for (const body of subgraphsOf(node)) lowered(body, version);
  }
  const functions = graph.functions.map((each) =>
    (each.opsets.get('') ?? 0) > version ? { ...each, opsets: new Map(each.opsets).set('', version) } : each,
  );
  return { ...graph, functions };
}

/** The changes on the way to a newer version of the ops of a graph and of the bodies in it. */
const changesOf = (graph: Graph, from: number, version: number): readonly OpsetRule[] =>
  graph.nodes.flatMap((node) => [
    ...(rules.get(node.op)?.filter(({ since }) => since > from && since <= version) ?? []),
    ...subgraphsOf(node).flatMap((body) => changesOf(body, from, version)),
  ]);

/** A graph with types; a contradiction in the file is not this pass's business. */
function typed(graph: Graph): Graph {
  try {
    return inferShapes(graph);
  } catch (error) {
    if (error instanceof EspalierError) return graph;
    throw error;
  }
}

interface Span {
  readonly from: number;
  readonly version: number;
  readonly fresh: (wish: string) => string;
  /** The graphs around a body, innermost first. */
  readonly outer: readonly Graph[];
}

/** Model-local functions carry their own opset; they are left as they are while none of their ops changed. */
function refuseFunctions({ functions }: Graph, version: number): void {
  for (const { nodes, opsets } of functions) {
    const own = opsets.get('') ?? version;
    for (const node of nodes) {
      if (rules.get(node.op)?.some(({ since }) => since > own && since <= version)) {
        throw opsetRefused(node, { version, found: `its form of opset ${own}, inside a model-local function` });
      }
    }
  }
}

function convertBody(graph: Graph, span: Span): Graph {
  const constants = new Map<ValueId, Tensor>(graph.constants);
  const scopes = [{ ...graph, constants }, ...span.outer];
  const nodes = graph.nodes.flatMap((node) => {
    const inner = withBodies(node, (body) => convertBody(body, { ...span, outer: scopes }));
    return convertNode(inner, { ...span, scopes, constants });
  });
  return { ...graph, nodes, constants };
}

interface Place extends Span {
  readonly scopes: readonly Graph[];
  readonly constants: Map<ValueId, Tensor>;
}

/** Applies the first change after `from`, then goes on with what it gave. */
function convertNode(node: Node, place: Place): readonly Node[] {
  const rule = rules.get(node.op)?.find(({ since }) => since > place.from && since <= place.version);
  if (!rule) return [node];
  const nodes = rule.rewrite(node, conversionOf(node, place));
  return nodes.flatMap((each) => convertNode(each, { ...place, from: rule.since }));
}

function conversionOf(node: Node, { scopes, constants, fresh, version }: Place): Conversion {
  const find = <T>(look: (scope: Graph) => T | undefined): T | undefined => {
    for (const scope of scopes) {
      const found = look(scope);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    fresh,
    constant(wish, tensor) {
      const name = fresh(wish);
      constants.set(name, tensor);
      return name;
    },
    infoOf: (value) => (value === undefined ? undefined : find((scope) => tensorInfo(scope, value))),
    constantOf: (value) => (value === undefined ? undefined : find((scope) => scope.constants.get(value))),
    isRead: (value) => scopes.some((scope) => scope.outputs.includes(value) || usesOf(scope, value).length > 0),
    refuse(found) {
      throw opsetRefused(node, { version, found });
    },
  };
}
