import { type DType, sizeOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Call, Kernel } from '../kernel.js';
import { isReal, need, onHost } from '../operands.js';
import { mergeAxes } from '../strided.js';
import { blockOf, deviceValue, type Layout, layoutOf, stridesIn, type Value } from '../value.js';
import { unaryCodes } from './unary.js';

/** Numbers of the operations in assembly/binary.ts. */
const codes = {
  Add: 0,
  Sub: 1,
  Mul: 2,
  Div: 3,
  Max: 4,
  Min: 5,
  Equal: 6,
  Greater: 7,
  GreaterOrEqual: 8,
  Less: 9,
  LessOrEqual: 10,
  PRelu: 11,
  And: 12,
  Or: 13,
  Xor: 14,
  IntegerEqual: 15,
  IntegerAdd: 16,
  IntegerSub: 17,
  IntegerMul: 18,
  IntegerGreater: 19,
  IntegerLess: 20,
} as const;

type BinaryName = keyof typeof codes;

/** The shape two shapes broadcast to (NumPy's rule). @throws EXECUTOR_FAILED. */
export function broadcast(c: Pick<Call, 'node'>, a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1)
      throw wrongShapes(c.node, 'shapes that broadcast', `[${a.join(',')}] and [${b.join(',')}]`);
    return x === 1 ? y : x;
  });
}

/** Whether a value lies in memory with its channels last only. */
const isLast = (value: Value, rank: number) => value.shape.length === rank && layoutOf(value) === 'last';

/** The layout that spares the largest operands a conversion. */
export const commonLayout = (values: readonly Value[], rank: number): Layout =>
  rank >= 3 && values.some((value) => sizeOf(value.shape) > 1024 && isLast(value, rank)) ? 'last' : 'plain';

/** Memory of an operand and its strides by axis of the output; small operands are read in whatever layout they have. */
export function operand(
  c: Call,
  value: Value,
  { shape, layout }: { readonly shape: readonly number[]; readonly layout: Layout },
): { readonly pointer: number; readonly strides: readonly number[] } {
  const convert = value.shape.length === shape.length && sizeOf(value.shape) > 1024;
  const own = convert ? layout : layoutOf(value);
  const { pointer } = blockOf(c.heap, value, own);
  const strides = stridesIn(value.shape, own);
  const lead = shape.length - value.shape.length;
  return {
    pointer,
    strides: shape.map((_, axis) => (axis < lead || value.shape[axis - lead] === 1 ? 0 : strides[axis - lead]!)),
  };
}

/** Axes in the order in which a layout stores them. */
export const physicalOrder = (rank: number, layout: Layout): readonly number[] => {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return layout === 'last' && rank >= 3 ? [0, ...axes.slice(2), 1] : axes;
};

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** Applies an operation to two arrays with broadcasting, in place where one of the same shape dies. */
export function applyBinary(
  c: Call,
  name: BinaryName,
  { a = need(c, 0), b = need(c, 1), dtype = a.dtype }: { a?: Value; b?: Value; dtype?: DType } = {},
): Value {
  const shape = broadcast(c, a.shape, b.shape);
  const layout = commonLayout([a, b], shape.length);
  const [x, y] = [operand(c, a, { shape, layout }), operand(c, b, { shape, layout })];
  const taken = [a, b].find((value) => {
    const block = value[layout];
    const slot = c.inputs.indexOf(value);
    if (!block || slot < 0 || !c.dies(slot) || !sameShape(value.shape, shape)) return false;
    return block.holders === 1 && value.plain !== value.last;
  })?.[layout];
  if (taken) taken.holders++;
  const out = taken ?? c.heap.allocate(sizeOf(shape));
  const order = physicalOrder(shape.length, layout);
  const inOrder = (list: readonly number[]) => order.map((axis) => list[axis]!);
  const merged = mergeAxes(inOrder(shape), [inOrder(x.strides), inOrder(y.strides)]);
  if (out.count > 0) {
    c.heap.kernels.binary(
      codes[name],
      x.pointer,
      y.pointer,
      out.pointer,
      merged.shape.length,
      c.heap.meta([...merged.shape, ...merged.arrays[0]!, ...merged.arrays[1]!]),
    );
  }
  return deviceValue(dtype, shape, out, layout);
}

/** Whether both sides are 32-bit integers, whose arithmetic wraps as ONNX's does. */
const isWord = (c: Call) => need(c, 0).dtype === 'int32' && need(c, 1).dtype === 'int32';

const arithmetic =
  (real: BinaryName, whole?: BinaryName): Kernel =>
  (c) => {
    if (isReal(need(c, 0))) return [applyBinary(c, real)];
    return whole && isWord(c) ? [applyBinary(c, whole)] : undefined;
  };

const comparison =
  (real: BinaryName, whole?: BinaryName): Kernel =>
  (c) => {
    if (isReal(need(c, 0))) return [applyBinary(c, real, { dtype: 'bool' })];
    return whole ? [applyBinary(c, whole, { dtype: 'bool' })] : undefined;
  };

const logical =
  (name: BinaryName): Kernel =>
  (c) => [applyBinary(c, name, { dtype: 'bool' })];

/** Any number of arrays, one after the other. */
const folded =
  (name: BinaryName, mean = false): Kernel =>
  (c) => {
    if (!isReal(need(c, 0))) return undefined;
    let sum = need(c, 0);
    const parts: Value[] = [];
    for (let slot = 1; slot < c.inputs.length; slot++) {
      sum = applyBinary(c, name, { a: sum, b: need(c, slot) });
      parts.push(sum);
    }
    if (parts.length === 0) return undefined;
    for (const each of parts.slice(0, -1))
      for (const block of [each.plain, each.last]) if (block) c.heap.release(block);
    if (mean) {
      const layout = layoutOf(sum);
      const { pointer, count } = blockOf(c.heap, sum, layout);
      c.heap.kernels.unary(unaryCodes.Linear, pointer, pointer, count, 1 / c.inputs.length, 0);
    }
    return [sum];
  };

/** Functions of two arrays, with broadcasting. */
export const binaryKernels = {
  Add: arithmetic('Add', 'IntegerAdd'),
  Sub: arithmetic('Sub', 'IntegerSub'),
  Mul: arithmetic('Mul', 'IntegerMul'),
  Div: arithmetic('Div'),
  PRelu: arithmetic('PRelu'),
  Max: folded('Max'),
  Min: folded('Min'),
  Sum: folded('Add'),
  Mean: folded('Add', true),
  Mod: onHost,
  Equal: comparison('Equal', 'IntegerEqual'),
  Greater: comparison('Greater', 'IntegerGreater'),
  GreaterOrEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less', 'IntegerLess'),
  LessOrEqual: comparison('LessOrEqual'),
  And: logical('And'),
  Or: logical('Or'),
  Xor: logical('Xor'),
} as const satisfies Record<string, Kernel>;
