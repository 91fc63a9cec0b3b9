import { floatOf, intOf, textOf } from '@espalier/core';
import type { Call } from '../kernel.js';
import { refuse } from '../operands.js';

type Asked = Pick<Call, 'node' | 'opset'>;

/** For each output position of one axis, `taps` input positions and their weights. */
export interface Samples {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weights: Float32Array;
  /** Output positions that lie outside of the input and take `extrapolation_value` instead; empty in most modes. */
  readonly outside: readonly number[];
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Begin and end of the region of interest, as shares of the axis. */
  readonly region: readonly [number, number];
}

/** Where an output position lies in the input, by the node's rule (ONNX Resize, coordinate_transformation_mode). */
function coordinate(c: Asked, { from, to, scale, region: [begin, end] }: Axis): (i: number) => number {
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

function nearestOf(c: Asked): (x: number) => number {
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

function samplesOf(c: Asked, axis: Axis): Samples {
  const mode = textOf(c.node, 'mode', 'nearest');
  const place = coordinate(c, axis);
  const nearest = mode === 'nearest' ? nearestOf(c) : undefined;
  const taps = mode === 'nearest' ? 1 : mode === 'linear' ? 2 : mode === 'cubic' ? 4 : refuse(c, `mode ${mode}`);
  const [index, weights] = [new Int32Array(axis.to * taps), new Float32Array(axis.to * taps)];
  const exclude = intOf(c.node, 'exclude_outside', 0) === 1;
  const a = floatOf(c.node, 'cubic_coeff_a', -0.75);
  const bounded = (at: number) => Math.min(Math.max(at, 0), axis.from - 1);
  const crops = textOf(c.node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize';
  const outside: number[] = [];
  for (let i = 0; i < axis.to; i++) {
    const x = place(i);
    if (crops && (x < 0 || x > axis.from - 1)) outside.push(i);
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
  return { taps, index, weights, outside };
}

/** The value of output positions outside of the input (`tf_crop_and_resize`). */
export const extrapolationOf = (c: Asked): number => floatOf(c.node, 'extrapolation_value', 0);

/** One scale for all axes, that of the sizes nearest below or above the wanted ones (Resize-18). */
function proportional(c: Asked, resizing: Resizing): Pick<Resizing, 'sizes' | 'scales'> {
  const { shape, sizes, axes } = resizing;
  const policy = textOf(c.node, 'keep_aspect_ratio_policy', 'stretch');
  if (!sizes || policy === 'stretch') return resizing;
  const ratios = sizes.map((size, i) => size / shape[axes[i]!]!); // one size per axis
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return {
    sizes: axes.map((axis) => Math.floor(Math.fround(scale * shape[axis]!) + 0.5)), // within the rank
    scales: axes.map(() => scale),
  };
}

/** The request of a Resize or Upsample node, after reading its inputs. */
export interface Resizing {
  readonly shape: readonly number[];
  readonly scales?: readonly number[] | undefined;
  readonly sizes?: readonly number[] | undefined;
  readonly region?: readonly number[] | undefined;
  /** The axes that these lists are about, from the front. */
  readonly axes: readonly number[];
}

/** The sampling of each axis that changes. @throws EXECUTOR_UNSUPPORTED_OP for forms that have no kernel. */
export function resizedAxes(
  c: Asked,
  resizing: Resizing,
): readonly { readonly axis: number; readonly samples: Samples }[] {
  const { shape, region, axes } = resizing;
  if (intOf(c.node, 'antialias', 0) === 1) return refuse(c, 'antialias');
  const { sizes, scales } = proportional(c, resizing);
  return axes.flatMap((axis, i) => {
    const from = shape[axis]!;
    const to = sizes?.[i] ?? Math.floor(from * (scales?.[i] ?? 1));
    const scale = scales?.[i] ?? to / from;
    const share = region?.length ? ([region[i]!, region[axes.length + i]!] as const) : ([0, 1] as const);
    if (to === from && scale === 1 && share[0] === 0 && share[1] === 1) return [];
    return [{ axis, samples: samplesOf(c, { from, to, scale, region: share }) }];
  });
}
