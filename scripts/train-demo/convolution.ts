import { int, ints } from '@espalier/core';
import { type Batch, createParameter, emitParameter, emptyLike, type Layer } from './layer.js';
import { type Allocate, multiplyAdd, multiplyAddTransposed, type Numbers, transpose } from './matrix.js';

/** Sizes of a convolution of odd kernel, padded so that stride 1 keeps the size. */
export interface ConvolutionSizes {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** Where patches are taken: a kernel that moves over a padded square. */
interface Patches {
  readonly channels: number;
  readonly side: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
}

/** A convolution without bias; weights start as He et al. 2015 (arXiv 1502.01852): variance 2 / fan-in. */
export function convolution(sizes: ConvolutionSizes, allocate: Allocate, normal: () => number): Layer {
  const { name, from, to, kernel, stride = 1, groups = 1 } = sizes;
  const [inner, outer] = [from / groups, to / groups];
  const rows = inner * kernel ** 2;
  const deviation = Math.sqrt(2 / rows);
  const shape = [to, inner, kernel, kernel];
  const weight = createParameter(`${name}.weight`, shape, { allocate, fill: () => normal() * deviation, decay: true });
  let x: Batch;

  const each = (dims: Patches, visit: (at: { x: number; y: number; w: number }) => void) => {
    for (let s = 0; s < x.count; s++) {
      for (let g = 0; g < groups; g++) {
        visit({
          x: (s * from + g * inner) * dims.side ** 2,
          y: (s * to + g * outer) * dims.out ** 2,
          w: g * outer * rows,
        });
      }
    }
  };
  let made: { readonly dims: Patches; readonly index: Int32Array } | undefined;
  const patchesOf = ({ side }: Batch) => {
    if (made?.dims.side === side) return made;
    const dims = { channels: inner, side, out: Math.ceil(side / stride), kernel, stride };
    made = { dims, index: patchIndex(dims) };
    return made;
  };

  return {
    parameters: [weight],
    forward(input) {
      x = input;
      const { dims, index } = patchesOf(x);
      const n = dims.out ** 2;
      const y = emptyLike(x, allocate, { channels: to, side: dims.out });
      const patches = allocate(rows * n);
      each(dims, (at) => {
        gather(x.data.subarray(at.x, at.x + inner * dims.side ** 2), patches, index);
        const a = weight.value.subarray(at.w, at.w + outer * rows);
        multiplyAdd(y.data.subarray(at.y, at.y + outer * n), { a, b: patches, m: outer, k: rows, n });
      });
      return y;
    },
    backward(dy) {
      const { dims, index } = patchesOf(x);
      const n = dims.out ** 2;
      const dx = emptyLike(x, allocate);
      const [patches, dPatches, turned] = [allocate(rows * n), allocate(rows * n), allocate(outer * rows)];
      each(dims, (at) => {
        const own = dy.data.subarray(at.y, at.y + outer * n);
        gather(x.data.subarray(at.x, at.x + inner * dims.side ** 2), patches, index);
        const gradient = weight.gradient.subarray(at.w, at.w + outer * rows);
        multiplyAddTransposed(gradient, { a: own, b: patches, m: outer, k: rows, n });
        transpose(weight.value.subarray(at.w, at.w + outer * rows), { m: outer, k: rows, out: turned });
        dPatches.fill(0);
        multiplyAdd(dPatches, { a: turned, b: own, m: rows, k: outer, n });
        scatter(dPatches, dx.data.subarray(at.x, at.x + inner * dims.side ** 2), index);
      });
      return dx;
    },
    emit: (builder, input) =>
      builder.add('Conv', [input, emitParameter(builder, weight)], {
        name,
        attributes: {
          kernel_shape: ints([kernel, kernel]),
          pads: ints(Array.from({ length: 4 }, () => (kernel - 1) / 2)),
          strides: ints([stride, stride]),
          group: int(groups),
        },
      }),
  };
}

/**
 * For every output pixel (column) and weight (row: channel, ky, kx), the input pixel under that weight; -1 in the
 * padding.
 */
function patchIndex({ channels, side, out, kernel, stride }: Patches): Int32Array {
  const pad = (kernel - 1) / 2;
  const index = new Int32Array(channels * kernel ** 2 * out ** 2);
  let at = 0;
  for (let row = 0; row < channels * kernel ** 2; row++) {
    const c = Math.floor(row / kernel ** 2);
    const ky = (Math.floor(row / kernel) % kernel) - pad;
    const kx = (row % kernel) - pad;
    for (let pixel = 0; pixel < out ** 2; pixel++) {
      const [y, x] = [Math.floor(pixel / out) * stride + ky, (pixel % out) * stride + kx];
      index[at++] = y >= 0 && y < side && x >= 0 && x < side ? (c * side + y) * side + x : -1;
    }
  }
  return index;
}

function gather(x: Numbers, patches: Numbers, index: Int32Array): void {
  for (let i = 0; i < index.length; i++) patches[i] = index[i]! < 0 ? 0 : x[index[i]!]!;
}

function scatter(dPatches: Numbers, dx: Numbers, index: Int32Array): void {
  for (let i = 0; i < index.length; i++) {
    const to = index[i]!;
    if (to >= 0) dx[to] = dx[to]! + dPatches[i]!;
  }
}
