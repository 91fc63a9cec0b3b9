import { type DType, intOf, isFloat, sizeOf, toFloats } from '@espalier/core';
import { dtypeAttribute } from '@espalier/ops';
import { gridOf } from '@espalier/passes';
import type { Block } from '../heap.js';
import { integerBounds } from '../integer-bounds.js';
import type { Call, Kernel } from '../kernel.js';
import { axisOf, blockFor, isReal, need } from '../operands.js';
import { blockOf, deviceValue, hostOf, type Layout, layoutOf, type Value } from '../value.js';

/** The grouping of the elements of x by scale: [outer, channels, inner], one scale each. */
interface Grouping {
  readonly layout: Layout;
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** Undefined where scales stand for blocks of an axis. */
function groupingOf(c: Call, x: Value, scale: Value): Grouping | undefined {
  const size = sizeOf(x.shape);
  if (scale.shape.length === 0 || (scale.shape.length === 1 && scale.shape[0] === 1))
    return { layout: layoutOf(x), outer: 1, channels: 1, inner: size };
  if (scale.shape.length !== 1 || intOf(c.node, 'block_size', 0) !== 0) return undefined;
  const axis = axisOf(c, intOf(c.node, 'axis', 1), x.shape.length);
  const channels = x.shape[axis]!;
  if (scale.shape[0] !== channels) return undefined;
  const last = axis === 1 && x.shape.length >= 3 && layoutOf(x) === 'last';
  if (last) return { layout: 'last', outer: size / Math.max(1, channels), channels, inner: 1 };
  return { layout: 'plain', outer: sizeOf(x.shape.slice(0, axis)), channels, inner: sizeOf(x.shape.slice(axis + 1)) };
}

/** Zero points as floats, zeros where none are given; the caller releases the block. */
function zerosOf(c: Call, slot: number, count: number): Block {
  const block = c.heap.allocate(count);
  const value = c.inputs[slot];
  const floats = c.heap.floats(block);
  if (!value) floats.fill(0);
  else {
    const given = toFloats(hostOf(c.heap, value));
    c.heap.floats(block).set(given.length === count ? given : new Float32Array(count).fill(given[0]!));
  }
  return block;
}

interface Work {
  readonly code: 0 | 1 | 2;
  readonly dtype: DType;
  readonly low: number;
  readonly high: number;
}

/** Runs one of the three quantizers over input 0; in place where it dies. */
function quantized(c: Call, { code, dtype, low, high }: Work): readonly Value[] | undefined {
  const [x, scale] = [need(c, 0), need(c, 1)];
  const grouping = groupingOf(c, x, scale);
  if (!grouping) return undefined;
  const { layout, outer, channels, inner } = grouping;
  const zero = zerosOf(c, 2, channels);
  const from = blockOf(c.heap, x, layout);
  const scales = blockOf(c.heap, scale, 'plain');
  const out = blockFor(c, 0, layout);
  c.heap.kernels.quantize(
    code,
    from.pointer,
    out.pointer,
    scales.pointer,
    zero.pointer,
    outer,
    channels,
    inner,
    low,
    high,
  );
  c.heap.release(zero);
  return [deviceValue(dtype, x.shape, out, layout)];
}

const quantizeLinear: Kernel = (c) => {
  if (!isReal(need(c, 0))) return undefined;
  const written = dtypeAttribute(c.node, 'output_dtype');
  const dtype = c.inputs[2]?.dtype ?? written ?? 'uint8';
  const range = integerBounds[dtype];
  return range && quantized(c, { code: 1, dtype, low: range[0], high: range[1] });
};

const dequantizeLinear: Kernel = (c) => {
  if (isFloat(need(c, 0).dtype)) return undefined;
  return quantized(c, { code: 2, dtype: need(c, 1).dtype, low: 0, high: 0 });
};

/** `espalier::FakeQuantize(x, scale, zero_point?) -> y`. */
const fakeQuantize: Kernel = (c) => quantized(c, { code: 0, dtype: need(c, 0).dtype, ...gridOf(c.node) });

/** `espalier::FakeQuantizeGradient(x, scale, zero_point?, dy) -> (dx, dscale)`. */
const fakeQuantizeGradient: Kernel = (c) => {
  const [x, scale, dy] = [need(c, 0), need(c, 1), need(c, 3)];
  const { layout, outer, channels, inner } = groupingOf(c, x, scale) ?? {};
  if (layout === undefined || outer === undefined || channels === undefined || inner === undefined) return undefined;
  const { low, high } = gridOf(c.node);
  const zero = zerosOf(c, 2, channels);
  const sums = c.heap.allocate(2 * channels);
  const [px, pdy, scales] = [blockOf(c.heap, x, layout), blockOf(c.heap, dy, layout), blockOf(c.heap, scale, 'plain')];
  const out = blockFor(c, 3, layout);
  c.heap.kernels.quantizeGradient(
    px.pointer,
    pdy.pointer,
    out.pointer,
    scales.pointer,
    zero.pointer,
    sums.pointer,
    outer,
    channels,
    inner,
    low,
    high,
  );
  const dscale = c.heap.allocate(channels);
  const words = c.heap.integers(sums);
  c.heap.floats(dscale).set(new Float64Array(words.slice().buffer));
  c.heap.release(zero);
  c.heap.release(sums);
  return [deviceValue(x.dtype, x.shape, out, layout), deviceValue(scale.dtype, scale.shape, dscale)];
};

/** Quantizers. */
export const quantizationKernels = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  'espalier::FakeQuantize': fakeQuantize,
  'espalier::FakeQuantizeGradient': fakeQuantizeGradient,
} as const satisfies Record<string, Kernel>;
