import { type Axis, type Graph, indexOf, type Node, usesOf, type ValueId } from '@espalier/core';
import { movementOf, type Relations } from '@espalier/ops';

/** Classes of coordinates that belong to attention. */
export interface AttentionClasses {
  /** The classes that count independent products of queries and keys, and of their softmax with values. */
  readonly heads: ReadonlySet<number>;
  /** The classes that the first product sums over, and those that the second takes from the values. */
  readonly dimensions: ReadonlySet<number>;
}

const products = new Set(['MatMul', 'Einsum', 'com.microsoft::FusedMatMul']);
/** The ops allowed between a product and its softmax: scales, masks, biases, and ops that move all elements. */
const scaling = new Set('Add Sub Mul Div Where Cast Clip'.split(' '));
const between = (op: string): boolean => scaling.has(op) || (movementOf(op) ?? 'picks') !== 'picks';
const farthest = 64;
/** Attention as one node: its result has heads in its channels, or on an axis of their own. */
const fused = new Set([
  'Attention',
  'com.microsoft::Attention',
  'com.microsoft::GroupQueryAttention',
  'com.microsoft::MultiHeadAttention',
]);

/** Finds attention from what ops compute: a softmax over the result of a product, multiplied by something else. */
export function attentionClasses(graph: Graph, relations: Relations): AttentionClasses {
  const heads = new Set<number>();
  const dimensions = new Set<number>();
  for (const softmax of graph.nodes) {
    if (fused.has(softmax.op)) addFused(relations, softmax, { heads, dimensions });
    if (softmax.op !== 'Softmax') continue;
    const first = productNear(graph, softmax, 'before');
    const second = productNear(graph, softmax, 'after');
    if (!first || !second) continue;
    const [scores, mixed] = [sidesOf(relations, first), sidesOf(relations, second)];
    for (const root of scores.shared) if (mixed.shared.has(root)) heads.add(root);
    for (const root of scores.summed) dimensions.add(root);
    for (const root of mixed.taken) if (!scores.taken.has(root)) dimensions.add(root);
  }
  for (const root of heads) dimensions.delete(root);
  return { heads, dimensions };
}

function addFused(
  { space, site }: Relations,
  node: Node,
  { heads, dimensions }: { readonly heads: Set<number>; readonly dimensions: Set<number> },
): void {
  const { inputs, outputs } = site(node);
  const [query, result] = [inputs[0]?.axes ?? [], outputs[0]?.axes ?? []];
  const add = (to: Set<number>, axis: Axis | undefined) => {
    for (let i = 0; i < (axis?.size ?? 0); i++) to.add(space.find(axis!.start + i));
  };
  add(heads, result.length === 4 ? result[1] : result[2]);
  if (result.length === 4) for (const axis of [query[3], result[3]]) add(dimensions, axis);
}

/** The nearest product of two values that both depend on the input. */
function productNear(graph: Graph, from: Node, where: 'before' | 'after'): Node | undefined {
  const { producer } = indexOf(graph);
  const computed = (value: ValueId | undefined) => value !== undefined && !graph.constants.has(value);
  const next = (node: Node): readonly Node[] =>
    where === 'before'
      ? node.inputs.flatMap((value) => (value === undefined ? [] : (producer.get(value) ?? [])))
      : node.outputs.flatMap((value) => (value === undefined ? [] : usesOf(graph, value).map((use) => use.node)));
  const seen = new Set<Node>(next(from));
  for (const node of seen) {
    if (products.has(node.op) && node.inputs.length === 2 && node.inputs.every(computed)) return node;
    if (!between(node.op) || seen.size > farthest) continue;
    for (const each of next(node)) seen.add(each);
  }
  return undefined;
}

interface Sides {
  /** Classes on axes of both factors, and of the product before its last two. */
  readonly shared: ReadonlySet<number>;
  /** On axes of both factors, but not of the product. */
  readonly summed: ReadonlySet<number>;
  /** On axes of the product and one factor. */
  readonly taken: ReadonlySet<number>;
}

function sidesOf({ space, site }: Relations, product: Node): Sides {
  const { inputs, outputs } = site(product);
  const classes = (axes: readonly Axis[] = []): ReadonlySet<number> => {
    const found = new Set<number>();
    for (const { start, size } of axes) {
      if (size > 1) for (let i = 0; i < size; i++) found.add(space.find(start + i));
    }
    return found;
  };
  const [a, b, y] = [classes(inputs[0]?.axes), classes(inputs[1]?.axes), classes(outputs[0]?.axes)];
  const both = [...a].filter((root) => b.has(root));
  // Positions that attend to each other are on axes of all three too, but never before the last two.
  const numbering = classes(outputs[0]?.axes.slice(0, -2));
  return {
    shared: new Set(both.filter((root) => numbering.has(root))),
    summed: new Set(both.filter((root) => !y.has(root))),
    taken: new Set([...y].filter((root) => a.has(root) !== b.has(root))),
  };
}
