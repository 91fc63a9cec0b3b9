import { floatOf, intOf, sizeOf, textOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { isReal, listed, need, numbersAt, refuse } from '../operands.js';
import { blockOf, deviceValue, layoutOf, type Value } from '../value.js';
import { physicalOrder } from './binary.js';

/** For each output position of one axis, `taps` input positions and their weights. */
interface Samples {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weights: Float32Array;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Begin and end of the region of interest, as shares of the axis. */
  readonly region: readonly [number, number];
}

/** Where an output position lies in the input, by the node's rule (ONNX Resize, coordinate_transformation_mode). */
function coordinate(c: Call, { from, to, scale, region: [begin, end] }: Axis): (i: number) => number {
  const mode = textOf(c.node, 'coordinate_transformation_mode', c.opset < 11 ? 'asymmetric' : 'half_pixel');
  switch (mode) {
    case 'half_pixel':
      return (i) => (i + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return (i) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0);
    case 'align_corners':
      return (i) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0);
    case 'asymmetric':
      return (i) => i / scale;
    case 'half_pixel_symmetric': {
      // The centres of both images coincide, also where from * scale is not whole.
      const adjusted = to / (scale * from);
      const offset = (from / 2) * (1 - adjusted);
      return (i) => offset + (i + 0.5) / scale - 0.5;
    }
    case 'tf_crop_and_resize':
      return (i) =>
        to > 1 ? begin * (from - 1) + (i * (end - begin) * (from - 1)) / (to - 1) : 0.5 * (begin + end) * (from - 1);
    default:
      return refuse(c, `coordinate_transformation_mode ${mode}`);
  }
}

function nearestOf(c: Call): (x: number) => number {
  const mode = textOf(c.node, 'nearest_mode', c.opset < 11 ? 'floor' : 'round_prefer_floor');
  switch (mode) {
    case 'round_prefer_floor':
      return (x) => Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return (x) => Math.floor(x + 0.5);
    case 'floor':
      return Math.floor;
    case 'ceil':
      return Math.ceil;
    default:
      return refuse(c, `nearest_mode ${mode}`);
  }
}

/** Weights of the four neighbours at distance 1 + t, t, 1 - t and 2 - t (Keys 1981, eq. 4, with a free a). */
function cubic(a: number, t: number): readonly number[] {
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

function samplesOf(c: Call, axis: Axis): Samples {
  const mode = textOf(c.node, 'mode', 'nearest');
  const place = coordinate(c, axis);
  const nearest = mode === 'nearest' ? nearestOf(c) : undefined;
  const taps = mode === 'nearest' ? 1 : mode === 'linear' ? 2 : mode === 'cubic' ? 4 : refuse(c, `mode ${mode}`);
  const [index, weights] = [new Int32Array(axis.to * taps), new Float32Array(axis.to * taps)];
  const exclude = intOf(c.node, 'exclude_outside', 0) === 1;
  const a = floatOf(c.node, 'cubic_coeff_a', -0.75);
  const bounded = (at: number) => Math.min(Math.max(at, 0), axis.from - 1);
  for (let i = 0; i < axis.to; i++) {
    const x = place(i);
    if (nearest) {
      index[i] = bounded(nearest(x));
      weights[i] = 1;
      continue;
    }
    const low = Math.floor(x);
    const first = taps === 2 ? low : low - 1;
    const all = taps === 2 ? [1 - (x - low), x - low] : cubic(a, x - low);
    const kept = all.map((weight, t) => (exclude && (first + t < 0 || first + t >= axis.from) ? 0 : weight));
    const total = exclude ? kept.reduce((sum, weight) => sum + weight, 0) : 1;
    kept.forEach((weight, t) => {
      index[i * taps + t] = bounded(first + t);
      weights[i * taps + t] = weight / total;
    });
  }
  return { taps, index, weights };
}

/** One axis of a value resized, in the layout that it has. */
function resampled(c: Call, x: Value, axis: number, { taps, index, weights }: Samples): Value {
  const layout = layoutOf(x);
  const order = physicalOrder(x.shape.length, layout);
  const at = order.indexOf(axis);
  const sizes = order.map((each) => x.shape[each]!);
  const count = index.length / taps;
  const [positions, factors] = [c.heap.allocate(index.length), c.heap.allocate(weights.length)];
  c.heap.integers(positions).set(index);
  c.heap.floats(factors).set(weights);
  const shape = x.shape.with(axis, count);
  const from = blockOf(c.heap, x, layout);
  const out = c.heap.allocate(sizeOf(shape));
  const [outer, inner] = [sizeOf(sizes.slice(0, at)), sizeOf(sizes.slice(at + 1))];
  c.heap.kernels.resample(
    from.pointer,
    out.pointer,
    positions.pointer,
    factors.pointer,
    outer,
    x.shape[axis]!,
    count,
    inner,
    taps,
  );
  c.heap.release(positions);
  c.heap.release(factors);
  return deviceValue(x.dtype, shape, out, layout);
}

const resize: Kernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return refuse(c, x.dtype);
  if (intOf(c.node, 'antialias', 0) === 1 || textOf(c.node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    return refuse(c, 'antialias or a kept aspect ratio');
  const slot = c.opset < 11 || c.node.op === 'Upsample' ? 1 : 2;
  const axes =
    listed(c, 99, 'axes')?.map((axis) => (axis < 0 ? axis + x.shape.length : axis)) ?? x.shape.map((_, i) => i);
  const scales = c.inputs[slot] && numbersAt(c, slot)?.length ? numbersAt(c, slot) : undefined;
  const sizes = slot === 2 ? numbersAt(c, 3) : undefined;
  const region = slot === 2 ? numbersAt(c, 1) : undefined;
  let value: Value = x;
  axes.forEach((axis, i) => {
    const from = x.shape[axis]!;
    const to = sizes?.[i] ?? Math.floor(from * (scales?.[i] ?? 1));
    const scale = scales?.[i] ?? to / from;
    const share = region?.length ? ([region[i]!, region[axes.length + i]!] as const) : ([0, 1] as const);
    if (to === from && scale === 1 && share[0] === 0 && share[1] === 1) return;
    const next = resampled(c, value, axis, samplesOf(c, { from, to, scale, region: share }));
    if (value !== x) c.heap.release(blockOf(c.heap, value, layoutOf(value)));
    value = next;
  });
  if (value !== x) return [value];
  const block = blockOf(c.heap, x, layoutOf(x));
  block.holders++;
  return [deviceValue(x.dtype, x.shape, block, layoutOf(x))];
};

/** Changes of size. */
export const resizeKernels = { Resize: resize, Upsample: resize } as const satisfies Record<string, Kernel>;
