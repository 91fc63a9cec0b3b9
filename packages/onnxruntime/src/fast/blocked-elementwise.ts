import {
  type Attribute,
  type Dim,
  float,
  indexOf,
  int,
  intOf,
  type Node,
  sizeOf,
  staticShape,
  type Tensor,
  tensorInfo,
  usesOf,
  type ValueId,
} from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import type { BlockedWriter } from './blocked-writer.js';
import { scalarOperand, withScalarOperand } from './scalar-operand.js';

type Operand = (w: BlockedWriter, value: ValueId, shape: readonly Dim[]) => ValueId;

/**
 * An op that acts on each element alone stays among blocked values when one of its inputs is there already; the others
 * must have the same shape, or one element, which `one` puts into the form that the op takes.
 */
const overElements =
  (one: Operand): BlockedRule =>
  (node, w) => {
    const output = node.outputs[0];
    const shape = output === undefined ? undefined : w.image(output) && tensorInfo(w.graph, output)?.shape;
    if (output === undefined || !shape || !w.fills({ channels: shape[1] as number })) return false;
    const kinds = node.inputs.map((value) => kindOf(w, value, shape.join()));
    const given = node.inputs.some((value, i) => kinds[i] === 'image' && w.isBlocked(value!));
    if (!given || kinds.includes('other')) return false;
    const inputs = node.inputs.map((value, i) => {
      if (value === undefined) return value;
      return kinds[i] === 'image' ? w.blocked(value) : one(w, value, shape);
    });
    const result = w.emit(node.op, inputs, Object.fromEntries(node.attributes));
    if (node.op === 'Add' && kinds.every((kind) => kind === 'image')) w.noteSum(result);
    w.give(output, result);
    return true;
  };

const elementwise = overElements((_, value) => value);
const broadcast = overElements(scalarOperand);
const arithmetic: BlockedRule = (node, w) => broadcast(node, w) || withScalarOperand(node, w);

/** Not where a block is filled up with zeros: 0/0 is not finite. */
const division: BlockedRule = (node, w) => {
  const image = w.image(node.outputs[0]);
  return (image?.channels === image?.padded && broadcast(node, w)) || withScalarOperand(node, w);
};

/**
 * The sign of what a Relu gives is 0 or 1: min(1, y·3e38) for every normal y ≥ 0, which the runtime computes several
 * times faster than Sign.
 */
const sign: BlockedRule = (node, w) => {
  const x = node.inputs[0] as ValueId; // it has one
  if (indexOf(w.graph).producer.get(x)?.op !== 'Relu') return elementwise(node, w);
  const step = { alpha: float(3e38), beta: float(0) };
  if (tensorInfo(w.graph, x)?.dtype !== 'float32') return false;
  if (w.isBlocked(x)) w.give(node.outputs[0], w.emit('HardSigmoid', [w.blocked(x)], step));
  else w.emitAs(node.outputs[0], 'HardSigmoid', [x], step);
  return true;
};

/**
 * A comparison with one number, where all that is read of it are casts to float32: values of other types cannot be
 * converted back.
 */
const comparison: BlockedRule = (node, w) => {
  const [x, bound] = node.inputs as readonly [ValueId, ValueId]; // it has two
  const output = node.outputs[0] as ValueId; // it has one
  const shape = w.image(x) && tensorInfo(w.graph, x)?.shape;
  if (!shape || !w.isBlocked(x) || kindOf(w, bound, shape.join()) !== 'one') return false;
  const readers = usesOf(w.graph, output);
  const cast = readers.every(({ node: reader, slot }) => slot >= 0 && isCast(reader));
  if (!cast || w.graph.outputs.includes(output)) return false;
  const step = stepOf(node, w.graph.constants.get(bound));
  if (step) {
    const mask = w.emit('HardSigmoid', [w.blocked(x)], step);
    for (const reader of readers) w.give(reader.node.outputs[0], mask);
  } else w.give(output, w.emit(node.op, [w.blocked(x), scalarOperand(w, bound, shape)]));
  return true;
};

/**
 * x > b or x < b as a HardSigmoid, clip(αx + β, 0, 1): with α a power of two, αx and αb are exact, and so is the sign
 * of α(x - b), which is 1 or more for the next number above b. It is computed several times faster than a comparison
 * and its cast. Subnormal numbers count as zero.
 */
function stepOf(
  { op }: Node,
  bound: Tensor | undefined,
): { readonly alpha: Attribute; readonly beta: Attribute } | undefined {
  if (bound?.dtype !== 'float32' || (op !== 'Greater' && op !== 'Less')) return undefined;
  const limit = bound.data[0]!; // one number, as its caller found
  const least = 2 ** -126;
  if (!Number.isFinite(limit) || (limit !== 0 && Math.abs(limit) < least)) return undefined;
  // The gap next to a number of exponent e is 2^(e - 24) at least.
  const alpha = limit === 0 ? 2 ** 127 : 2 ** Math.min(127, 25 - Math.floor(Math.log2(Math.abs(limit))));
  const sign = op === 'Greater' ? alpha : -alpha;
  return { alpha: float(sign), beta: float(0 - sign * limit) };
}

const cast: BlockedRule = (node, w) => {
  const x = node.inputs[0] as ValueId; // it has one
  if (w.isBlocked(node.outputs[0]!)) return true; // of a comparison that gave floats
  if (!w.isBlocked(x) || !isCast(node)) return false;
  w.give(node.outputs[0], w.emit('Cast', [w.blocked(x)], { to: int(1) }));
  return true;
};

const isCast = (node: Node): boolean => node.op === 'Cast' && intOf(node, 'to', 0) === 1;

function kindOf(w: BlockedWriter, value: ValueId | undefined, shape: string): 'image' | 'one' | 'other' {
  if (value === undefined) return 'one';
  const own = staticShape(w.graph, value);
  if (own && own.length <= 4 && sizeOf(own) === 1) return 'one';
  return w.image(value) && tensorInfo(w.graph, value)?.shape?.join() === shape ? 'image' : 'other';
}

/** Ops that act on each element alone. */
export const blockedElementwise = {
  Relu: elementwise,
  LeakyRelu: elementwise,
  Sigmoid: elementwise,
  Tanh: elementwise,
  Sign: sign,
  Neg: elementwise,
  Abs: elementwise,
  Clip: elementwise,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Cast: cast,
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: division,
} as const;
