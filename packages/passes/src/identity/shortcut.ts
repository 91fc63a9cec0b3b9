import { type DType, type Graph, indexOf, ints, isFloat, isInteger, type Node, tensorInfo } from '@espalier/core';
import { castTarget, wholeNumbersOf } from '@espalier/ops';
import { permOf } from './same-value.js';

type Rule = (graph: Graph, node: Node, maker: Node) => Node | undefined;

/** Transpose after Transpose: one with both orders in turn. */
const transpose: Rule = (graph, node, maker) => {
  const [first, second] = [permOf(graph, maker), permOf(graph, node)];
  if (!first || first.length !== second?.length) return undefined;
  const perm = second.map((axis) => first[axis] ?? axis);
  return { ...node, inputs: [maker.inputs[0]], attributes: new Map([['perm', ints(perm)]]) };
};

/** Reshape after a reshape: the last one alone, unless its target copies dimensions from what it is given. */
const reshape: Rule = (graph, node, maker) => {
  const target = wholeNumbersOf(graph.constants.get(node.inputs[1] ?? ''));
  return target && !target.includes(0) ? { ...node, inputs: [maker.inputs[0], ...node.inputs.slice(1)] } : undefined;
};

/** Cast after a Cast that lost nothing: from the first dtype to the last. */
const cast: Rule = (graph, node, maker) => {
  const from = maker.inputs[0] === undefined ? undefined : tensorInfo(graph, maker.inputs[0])?.dtype;
  const [through, to] = [castTarget(maker), castTarget(node)];
  if (!from || !through || !to || !keepsEverything(from, through, to)) return undefined;
  return { ...node, inputs: [maker.inputs[0]] };
};

/** Bits of whole numbers that a dtype holds exactly, sign apart. */
const exactBits: Partial<Record<DType, number>> = {
  bool: 1,
  int8: 7,
  uint8: 8,
  int16: 15,
  uint16: 16,
  int32: 31,
  uint32: 32,
  int64: 63,
  uint64: 64,
  float16: 11,
  bfloat16: 8,
  float32: 24,
  float64: 53,
};

const floatOrder: readonly DType[] = ['float16', 'float32', 'float64'];

function keepsEverything(from: DType, through: DType, to: DType): boolean {
  if (exactBits[to] === undefined) return false;
  if (isFloat(from)) {
    const [a, b] = [floatOrder.indexOf(from), floatOrder.indexOf(through)];
    return a >= 0 && b >= a;
  }
  const [own, room] = [exactBits[from], exactBits[through]];
  const signed = from.startsWith('int') ? through.startsWith('int') || isFloat(through) : true;
  if (own === undefined || room === undefined || !signed || own > room) return false;
  // A float on the way to an integer is converted by value, an integer by wrapping: they may differ.
  return !isFloat(through) || isFloat(to) || to === from || (from === 'bool' && isInteger(to));
}

const reshapeMakers = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

const rules: ReadonlyMap<string, { readonly after: ReadonlySet<string>; readonly rule: Rule }> = new Map([
  ['Transpose', { after: new Set(['Transpose']), rule: transpose }],
  ['Reshape', { after: reshapeMakers, rule: reshape }],
  ['Cast', { after: new Set(['Cast']), rule: cast }],
]);

/** The node reading past the node before it, where the two together do what it can do alone; undefined otherwise. */
export function shortcut(graph: Graph, node: Node): Node | undefined {
  const entry = rules.get(node.op);
  const maker = entry && indexOf(graph).producer.get(node.inputs[0] ?? '');
  return entry && maker && entry.after.has(maker.op) ? entry.rule(graph, node, maker) : undefined;
}
