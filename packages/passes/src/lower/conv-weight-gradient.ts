import { int, ints, type ValueId } from '@espalier/core';
import type { Window } from '@espalier/ops';
import { loweringRefused } from '../errors.js';
import type { Lowering } from '../lowering.js';
import { type LoweringEmitter, loweringEmitter } from './lowering-emitter.js';
import { checkedWindow, placesOf } from './window.js';

/**
 * `espalier::ConvWeightGradient(x, dy) -> dw` is the gradient of Conv(x, w) with respect to w:
 *
 *     dw[k, c, j] = Σ over n and o of dy[n, k, o] x[n, c, o·stride + j·dilation - pad]
 *
 * for x [N, C, H, W] and dy [N, K, OH, OW]; dw is [K, C/group, kh, kw]. Attributes are those of that Conv, with
 * `kernel_shape`. That sum is a convolution of x with dy as its kernel, over the batch instead of the channels, with
 * strides and dilations exchanged; lowered to that Conv over transposed tensors. Where the stride left a rest, the
 * result is larger than the kernel and is cut.
 * @throws PASS_LOWERING for groups where the channels or spatial sizes of x are not known.
 */
export const lowerConvWeightGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const window = checkedWindow(node);
  const rank = window.kernel.length + 2;
  const [x, dy] = [e.input(0), e.input(1)];
  const swap = ints([1, 0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2)]);
  const images = window.group === 1 ? e.emit('Transpose', [x], { perm: swap }) : byGroup(e, x, window);
  const kernels = e.emit('Transpose', [dy], { perm: swap });
  const { strides, dilations, pads } = window;
  const sums = e.emit('Conv', [images, kernels], {
    strides: ints(dilations),
    dilations: ints(strides),
    pads: ints(pads),
    group: int(window.group),
  });
  e.finish(0, 'Transpose', { inputs: [cut(e, sums, window)], attributes: { perm: swap } });
  return e.nodes;
};

/** x as [C/group, group·N, H, W]: each group convolves its own channels, summing over the batch. */
function byGroup(e: LoweringEmitter, x: ValueId, { kernel, group }: Window): ValueId {
  const [, channels, ...sizes] = e.shape(x);
  if (typeof channels !== 'number' || channels % group !== 0 || !sizes.every((size) => typeof size === 'number')) {
    throw loweringRefused(e.node, {
      expected: `known channels (a multiple of ${group}) and spatial sizes of "${x}"`,
      found: `[${e.shape(x).join(', ')}]`,
    });
  }
  const apart = e.emit('Reshape', [x, e.longs([-1, group, channels / group, ...sizes])]);
  const turned = e.emit('Transpose', [apart], { perm: ints([2, 1, 0, ...kernel.map((_, i) => i + 3)]) });
  return e.emit('Reshape', [turned, e.longs([channels / group, -1, ...sizes])]);
}

function cut(e: LoweringEmitter, sums: ValueId, window: Window): ValueId {
  const { kernel, strides, dilations, pads } = window;
  const [, , ...sizes] = e.shape(e.input(0));
  const fits = sizes.every((size, axis) => {
    if (typeof size !== 'number') return false;
    const reach = (placesOf(window, axis, size) - 1) * strides[axis]! + 1;
    const padded = size + pads[axis]! + pads[axis + kernel.length]!;
    return Math.floor((padded - reach) / dilations[axis]!) + 1 === kernel[axis];
  });
  if (fits) return sums;
  const starts = kernel.map(() => 0);
  return e.emit('Slice', [sums, e.longs(starts), e.longs(kernel), e.longs(kernel.map((_, i) => i + 2))]);
}
