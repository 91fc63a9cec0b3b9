import { createNode, intOf, ints, type Node, reshaped, type Tensor, type ValueId } from '@espalier/core';
import { type Conversion, type OpsetRule, type Rewrite, withAttributes, withInput } from './rule.js';

/** An input with axes of size 1 behind its own; a constant is stored so. */
function withTrailingOnes(
  node: Node,
  { slot, rank, count, conversion }: { slot: number; rank: number; count: number; conversion: Conversion },
): readonly Node[] {
  const value = node.inputs[slot]!; // a required input
  const name = `${value}_aligned`;
  const constant = conversion.constantOf(value);
  if (constant) return [withInput(node, slot, conversion.constant(name, trailing(constant, count)))];
  const aligned = conversion.fresh(name);
  const axes = ints(Array.from({ length: count }, (_, i) => rank + i));
  return [
    createNode({ id: aligned, op: 'Unsqueeze', inputs: [value], outputs: [aligned], attributes: { axes } }),
    withInput(node, slot, aligned),
  ];
}

const trailing = (constant: Tensor, count: number): Tensor =>
  reshaped(constant, [...constant.shape, ...new Array<number>(count).fill(1)]);

const rankOf = (conversion: Conversion, value: ValueId | undefined): number | undefined =>
  conversion.infoOf(value)?.shape?.length;

/** `broadcast` and `axis`: the second input's axes lay at `axis` of the first one, at its last ones by default. */
const aligned: Rewrite = (node, conversion) => {
  const plain = withAttributes(node, { drop: ['broadcast', 'axis'] });
  if (intOf(node, 'broadcast', 0) === 0 || !node.attributes.has('axis')) return [plain];
  const [a, b] = [rankOf(conversion, node.inputs[0]), rankOf(conversion, node.inputs[1])];
  if (a === undefined || b === undefined) {
    return conversion.refuse('inputs aligned at an axis whose ranks are not known');
  }
  const axis = intOf(node, 'axis', 0);
  const count = a - (axis < 0 ? axis + a : axis) - b;
  if (count < 0) return conversion.refuse(`a second input of ${b} axes aligned at axis ${axis} of ${a}`);
  return count === 0 ? [plain] : withTrailingOnes(plain, { slot: 1, rank: b, count, conversion });
};

/** A slope of one number a channel broadcasts by the usual rule since opset 7: it needs axes of size 1 behind it. */
const slope: Rewrite = (node, conversion) => {
  const shape = conversion.infoOf(node.inputs[1])?.shape;
  const rank = rankOf(conversion, node.inputs[0]);
  if (shape?.every((dim) => dim === 1)) return [node];
  if (!shape || rank === undefined) return conversion.refuse('a slope whose shape, or that of the data, is not known');
  if (shape.length !== 1 || rank <= 2) return [node];
  return withTrailingOnes(node, { slot: 1, rank: 1, count: rank - 2, conversion });
};

const binary = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor', 'Equal', 'Greater', 'Less'];

/** Ops whose second input broadcast by rules of its own before opset 7. */
export const earlyBroadcastRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  ...Object.fromEntries(binary.map((op) => [op, [{ since: 7, typed: true, rewrite: aligned } as const]])),
  PRelu: [{ since: 7, typed: true, rewrite: slope }],
  Gemm: [{ since: 7, rewrite: (node) => [withAttributes(node, { drop: ['broadcast'] })] }],
};
