import { type Graph, indexOf, isFloat, type Node, sizeOf, tensorInfo, type ValueId } from '@espalier/core';
import { deadAfter } from './dead-after.js';

/**
 * A part of a network that can go while everything keeps its shape: a term of a sum that is computed from another
 * term, or from what that one was made of. What is left of the sum is the shortcut around it.
 */
export interface Branch {
  /** The id of the sum; with the slot of the term where it has more than two. */
  readonly id: string;
  /** The sum, and where it reads what the branch computes. */
  readonly node: Node;
  readonly slot: number;
  /** The value that remains: the other term, or the output of the sum if there are several. */
  readonly shortcut: ValueId;
  readonly output: ValueId;
  /** Weights that nothing else reads. */
  readonly weights: readonly ValueId[];
}

/** The number of steps to search back from the terms of the shortcut, for branches beside each other: x + f(x) + g(x). */
const deepest = 3;

/**
 * The branches of a graph, from what its ops compute: names mean nothing. Sums are Add and Sum nodes; the shortcut
 * must have the shape of the sum, and weights must die with the branch. Shapes must have been inferred. Shortcuts with
 * weights of their own (where a network changes its width) are none: neither term comes from the other.
 */
export function branchesOf(graph: Graph): readonly Branch[] {
  const position = new Map<ValueId, number>();
  graph.nodes.forEach(({ outputs }, i) => {
    for (const value of outputs) if (value !== undefined) position.set(value, i);
  });
  return graph.nodes.flatMap((node) => {
    if (node.op !== 'Add' && node.op !== 'Sum') return [];
    const found = node.inputs.flatMap((_, slot) => branchAt(graph, { node, slot, position }) ?? []);
    return node.inputs.length === 2 ? found.slice(0, 1) : found;
  });
}

interface Term {
  readonly node: Node;
  readonly slot: number;
  readonly position: ReadonlyMap<ValueId, number>;
}

function branchAt(graph: Graph, { node, slot, position }: Term): Branch | undefined {
  const [output, term] = [node.outputs[0], node.inputs[slot]];
  const others = node.inputs.filter((value, i): value is ValueId => i !== slot && value !== undefined);
  if (output === undefined || term === undefined || others.length === 0 || others.includes(term)) return undefined;
  const kept = others.filter((value) => sameShape(graph, value, output));
  if (kept.length === 0 || graph.constants.has(term)) return undefined;
  const from = new Set(kept.flatMap((value) => termsOf(graph, value, deepest)));
  if (!comesFrom(graph, term, { from, position })) return undefined;
  const { constants } = deadAfter(graph, [{ node, slot }]);
  const weights = [...constants].filter((value) => isMatrix(graph, value));
  if (weights.length === 0) return undefined;
  const id = node.inputs.length > 2 ? `${node.id}/${slot}` : node.id;
  return { id, node, slot, shortcut: node.inputs.length > 2 ? output : kept[0]!, output, weights };
}

function sameShape(graph: Graph, a: ValueId, b: ValueId): boolean {
  const [x, y] = [tensorInfo(graph, a)?.shape, tensorInfo(graph, b)?.shape];
  return x !== undefined && y !== undefined && x.length === y.length && x.every((dim, i) => dim === y[i]);
}

/** A value, and where it is a sum, its terms of the same shape. */
function termsOf(graph: Graph, value: ValueId, depth: number): readonly ValueId[] {
  if (graph.constants.has(value)) return [];
  const node = indexOf(graph).producer.get(value);
  if (depth === 0 || (node?.op !== 'Add' && node?.op !== 'Sum')) return [value];
  const terms = node.inputs.filter((each): each is ValueId => each !== undefined && sameShape(graph, each, value));
  return [value, ...terms.flatMap((each) => termsOf(graph, each, depth - 1))];
}

interface Origin {
  readonly from: ReadonlySet<ValueId>;
  readonly position: ReadonlyMap<ValueId, number>;
}

/** Whether numbers of one of the values go into another one; its shape alone does not count. */
function comesFrom(graph: Graph, value: ValueId, { from, position }: Origin): boolean {
  const { producer } = indexOf(graph);
  const first = Math.min(...[...from].map((each) => position.get(each) ?? -1));
  const seen = new Set<ValueId>([value]);
  for (const each of seen) {
    if (from.has(each)) return true;
    if ((position.get(each) ?? -1) < first) continue;
    const node = producer.get(each);
    if (!node || node.op === 'Shape' || node.op === 'Size') continue;
    for (const input of node.inputs) if (input !== undefined) seen.add(input);
  }
  return false;
}

function isMatrix(graph: Graph, value: ValueId): boolean {
  const { dtype, shape } = graph.constants.get(value)!; // dead constants are constants
  return isFloat(dtype) && shape.filter((size) => size > 1).length > 1 && sizeOf(shape) > 0;
}
