import { type Graph, indexOf, intsOf, isFloat, type Node, opsetOf, type Tensor, type ValueId } from '@espalier/core';
import { evaluateNode } from '@espalier/ops';

/** A constant as a node reads it: perhaps moved or cast on the way. */
export interface ConstantBehind {
  /** The numbers that the reader gets. */
  readonly tensor: Tensor;
  /** The constant of the graph that they come from. */
  readonly source: ValueId;
  /** The ops between that change shape, order or type, from the constant to the reader. */
  readonly path: readonly string[];
}

/** Ops that keep every element of their first input. */
const movers: ReadonlySet<string> = new Set([
  'Cast',
  'Flatten',
  'Identity',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

const known = new WeakMap<Graph, Map<ValueId, ConstantBehind | undefined>>();

/**
 * The real-valued constant behind a value: the value itself, or what Transpose, Reshape, Squeeze, Unsqueeze, Flatten,
 * Cast and Identity make of one. Undefined where the value depends on anything else. Looked up once per graph.
 */
export function constantBehind(graph: Graph, value: ValueId | undefined): ConstantBehind | undefined {
  if (value === undefined) return undefined;
  const constant = graph.constants.get(value);
  if (constant) return isFloat(constant.dtype) ? { tensor: constant, source: value, path: [] } : undefined;
  let memo = known.get(graph);
  if (!memo) {
    memo = new Map();
    known.set(graph, memo);
  }
  if (!memo.has(value)) memo.set(value, follow(graph, value));
  return memo.get(value);
}

function follow(graph: Graph, value: ValueId): ConstantBehind | undefined {
  const node = indexOf(graph).producer.get(value);
  if (!node || !movers.has(node.op)) return undefined;
  const behind = constantBehind(graph, node.inputs[0]);
  if (!behind) return undefined;
  const more = node.inputs.slice(1).map((each) => (each === undefined ? undefined : graph.constants.get(each)));
  if (more.some((each, i) => !each && node.inputs[i + 1] !== undefined)) return undefined;
  const tensor = moved(node, behind.tensor, { more, opset: opsetOf(graph) });
  if (!tensor || !isFloat(tensor.dtype)) return undefined;
  return { tensor, source: behind.source, path: isStill(node) ? behind.path : [...behind.path, node.op] };
}

const isStill = (node: Node): boolean =>
  node.op === 'Identity' || (node.op === 'Transpose' && intsOf(node, 'perm', [1]).every((axis, i) => axis === i));

interface Move {
  readonly more: readonly (Tensor | undefined)[];
  readonly opset: number;
}

const made = new WeakMap<Tensor, Map<string, Tensor | undefined>>();

/** The same tensor for the same move, also where several bodies make it: each form of it is then stored once. */
function moved(node: Node, source: Tensor, { more, opset }: Move): Tensor | undefined {
  const key = JSON.stringify([
    node.op,
    opset,
    [...node.attributes],
    more.map((each) => each && [...each.data].map(String)),
  ]);
  const forms = made.get(source) ?? new Map<string, Tensor | undefined>();
  made.set(source, forms);
  if (!forms.has(key)) forms.set(key, evaluateNode(node, { inputs: [source, ...more], opset })?.[0]);
  return forms.get(key);
}
