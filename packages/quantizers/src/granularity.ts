import { granularityInvalid } from './errors.js';

/**
 * The division of a tensor by scales. For a weight of shape [64, 32, 3, 3]:
 * - `{ per: 'tensor' }`: one scale, shape [];
 * - `{ per: 'channel', axis: 0 }`: a scale for each of 64 output channels, shape [64];
 * - `{ per: 'block', axis: 1, size: 16 }`: a scale for each run of 16 along axis 1, shape [64, 2, 3, 3].
 */
export type Granularity =
  | { readonly per: 'tensor' }
  | { readonly per: 'channel'; readonly axis: number }
  | { readonly per: 'block'; readonly axis: number; readonly size: number };

/** One scale for the whole tensor. */
export const perTensor = { per: 'tensor' } as const satisfies Granularity;

/** One scale for each index of an axis (negative counts from the end). */
export const perChannel = (axis: number) => ({ per: 'channel', axis }) as const satisfies Granularity;

/** One scale for each run of `size` elements along an axis; the last run may be shorter. */
export const perBlock = (axis: number, size: number) => ({ per: 'block', axis, size }) as const satisfies Granularity;

/**
 * The map from elements to scales: element (o, k, i) of the tensor seen as [outer, length, inner] has scale `k` (channel),
 * `(o * blocks + floor(k / size)) * inner + i` (block), or 0 (tensor, seen as [1, 1, all]).
 */
export interface ScaleLayout {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** Block size along the axis; 0 where there are no blocks. */
  readonly size: number;
  readonly blocks: number;
  /** Shape of the scales: [] per tensor, [length] per channel, the tensor's with the axis shortened per block. */
  readonly shape: readonly number[];
  readonly count: number;
}

/** The layout of the scales of a tensor. @throws QUANTIZE_GRANULARITY when the shape has no such axis. */
export function scaleLayout(shape: readonly number[], granularity: Granularity): ScaleLayout {
  const all = shape.reduce((product, dim) => product * dim, 1);
  if (granularity.per === 'tensor') {
    return { outer: 1, length: 1, inner: all, size: 0, blocks: 1, shape: [], count: 1 };
  }
  const axis = granularity.axis < 0 ? granularity.axis + shape.length : granularity.axis;
  const size = granularity.per === 'block' ? granularity.size : 0;
  const length = shape[axis];
  if (length === undefined || !Number.isInteger(size) || (granularity.per === 'block' && size < 1)) {
    throw granularityInvalid(shape, JSON.stringify(granularity));
  }
  const outer = shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  if (size === 0) return { outer, length, inner, size, blocks: 1, shape: [length], count: length };
  const blocks = Math.ceil(length / size);
  return {
    outer,
    length,
    inner,
    size,
    blocks,
    shape: shape.map((dim, i) => (i === axis ? blocks : dim)),
    count: outer * blocks * inner,
  };
}
