import { type DType, isFloat, sizeOf } from '@espalier/core';
import { dtypeAttribute } from '@espalier/ops';
import type { Call, Kernel } from '../kernel.js';
import { isReal, need } from '../operands.js';
import { copyView } from '../strided.js';
import { blockOf, deviceValue, layoutOf, stridesIn, type Value } from '../value.js';
import { broadcast, commonLayout, operand, physicalOrder } from './binary.js';
import { applyUnary } from './unary.js';

/** Integers that a conversion from float32 reaches by truncation alone; narrower ones wrap, on the host. */
const wide: ReadonlySet<DType> = new Set(['int32', 'int64']);
/** Floats that are float32 in here without loss of what their type would round. */
const full: ReadonlySet<DType> = new Set(['float32', 'float64']);

/** Between types that memory holds alike nothing is done; types that round or wrap are converted on the host. */
function converted(c: Call, to: DType): readonly Value[] | undefined {
  const x = need(c, 0);
  if (x.dtype === to) return shared(c, x, to);
  if (to === 'bool') return applyUnary(c, isReal(x) ? 'FloatToTruth' : 'IntegerToTruth', { dtype: to });
  if (isFloat(x.dtype)) {
    if (full.has(to)) return shared(c, x, to);
    return wide.has(to) && x.dtype === 'float32' ? applyUnary(c, 'FloatToInteger', { dtype: to }) : undefined;
  }
  if (full.has(to)) return applyUnary(c, 'IntegerToFloat', { dtype: to });
  return wide.has(to) ? shared(c, x, to) : undefined;
}

function shared(c: Call, x: Value, dtype: DType): readonly Value[] {
  const layout = layoutOf(x);
  const block = blockOf(c.heap, x, layout);
  block.holders++;
  return [deviceValue(dtype, x.shape, block, layout)];
}

const cast: Kernel = (c) => {
  const to = dtypeAttribute(c.node, 'to');
  return to && converted(c, to);
};

const castLike: Kernel = (c) => converted(c, need(c, 1).dtype);

/** A value brought to a shape and layout; `made` says whether the block is the caller's to release. */
function brought(
  c: Call,
  value: Value,
  { shape, layout }: { readonly shape: readonly number[]; readonly layout: 'plain' | 'last' },
) {
  if (sizeOf(value.shape) === 1)
    return { pointer: operand(c, value, { shape, layout }).pointer, step: 0, release: () => {} };
  if (value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i]))
    return { pointer: blockOf(c.heap, value, layout).pointer, step: 1, release: () => {} };
  const block = c.heap.allocate(sizeOf(shape));
  copyView(c.heap, {
    shape,
    source: operand(c, value, { shape, layout }),
    target: { pointer: block.pointer, strides: stridesIn(shape, layout) },
  });
  return { pointer: block.pointer, step: 1, release: () => c.heap.release(block) };
}

const where: Kernel = (c) => {
  const [condition, a, b] = [need(c, 0), need(c, 1), need(c, 2)];
  const shape = broadcast(c, condition.shape, broadcast(c, a.shape, b.shape));
  const layout = commonLayout([condition, a, b], physicalOrder(shape.length, 'plain').length);
  const target = { shape, layout };
  const parts = [brought(c, condition, target), brought(c, a, target), brought(c, b, target)] as const;
  const out = c.heap.allocate(sizeOf(shape));
  const [chosen, left, right] = parts;
  // A single condition is repeated by giving it every element of the output's shape.
  if (chosen.step === 0 && out.count !== 1) {
    const block = c.heap.allocate(out.count);
    c.heap.kernels.fill(
      block.pointer,
      block.count,
      c.heap.integers(blockOf(c.heap, condition, layoutOf(condition)))[0]!,
    );
    c.heap.kernels.select(block.pointer, left.pointer, right.pointer, out.pointer, out.count, left.step, right.step);
    c.heap.release(block);
  } else
    c.heap.kernels.select(chosen.pointer, left.pointer, right.pointer, out.pointer, out.count, left.step, right.step);
  for (const part of parts) part.release();
  return [deviceValue(a.dtype, shape, out, layout)];
};

/** Changes of type, and choices by truth values. */
export const castKernels = { Cast: cast, CastLike: castLike, Where: where } as const satisfies Record<string, Kernel>;
