import {
  EspalierError,
  editGraph,
  type Graph,
  type Node,
  opsetOf,
  type Tensor,
  tensorInfo,
  type ValueId,
  withBodies,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { opsetOutOfReach, opsetRefused } from './errors.js';
import { movedAttributeRules } from './opset/moved-attributes.js';
import { normalizationRules } from './opset/normalization.js';
import { resizeRules } from './opset/resize.js';
import type { Conversion, OpsetRule } from './opset/rule.js';
import { softmaxRules } from './opset/softmax.js';

/** The opsets that `convertOpset` knows all changes of. */
export const convertibleOpsets = { oldest: 7, newest: 23 } as const;

const rules: ReadonlyMap<string, readonly OpsetRule[]> = new Map(
  Object.entries({ ...movedAttributeRules, ...resizeRules, ...softmaxRules, ...normalizationRules }),
);

/**
 * The same model in a newer version of the default ONNX operator set, bodies of If, Loop and Scan included. Ops whose
 * form changed on the way (attributes that became inputs, other defaults, other meanings) are written in the new one;
 * all others mean the same in both. Types are inferred first where a rewrite needs them.
 * @throws PASS_OPSET naming the node that the newer opset cannot express exactly; for older versions than the model's,
 *   and outside of opset 7 to 23.
 */
export function convertOpset(graph: Graph, version: number): Graph {
  const from = opsetOf(graph);
  if (version === from) return graph;
  const { oldest, newest } = convertibleOpsets;
  if (version < from) throw opsetOutOfReach(from, { to: version, expected: 'a version no older than the model' });
  if (from < oldest || version > newest || !Number.isInteger(version)) {
    throw opsetOutOfReach(from, { to: version, expected: `versions from ${oldest} to ${newest}` });
  }
  refuseFunctions(graph, version);
  const { nodes, constants } = convertBody(typed(graph), { from, version, fresh: editGraph(graph).fresh, outer: [] });
  return { ...graph, nodes, constants, opsets: new Map(graph.opsets).set('', version) };
}

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
    refuse(found) {
      throw opsetRefused(node, { version, found });
    },
  };
}
