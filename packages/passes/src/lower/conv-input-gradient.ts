import { int, ints, intsOf } from '@espalier/core';
import { loweringRefused } from '../errors.js';
import type { Lowering } from '../lowering.js';
import { loweringEmitter } from './lowering-emitter.js';
import { checkedWindow, placesOf, windowAttributes } from './window.js';

/**
 * `espalier::ConvInputGradient(dy, w) -> dx` is the gradient of Conv(x, w) with respect to x:
 *
 *     dx[n, c, i] = Σ over k and o with o·stride + j·dilation - pad = i of dy[n, k, o] w[k, c, j]
 *
 * for dy [N, K, OH, OW] and w [K, C/group, kh, kw], with the attributes of that Conv (`kernel_shape`, `strides`, `pads`,
 * `dilations`, `group`) and `input_shape`, the spatial sizes of x, which strides alone do not tell. One to three
 * spatial axes. Lowered to ConvTranspose, whose output padding is the rest that the stride left over.
 * @throws PASS_LOWERING where the attributes do not belong together.
 */
export const lowerConvInputGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const window = checkedWindow(node);
  const size = intsOf(node, 'input_shape', []);
  if (size.length !== window.kernel.length) {
    throw loweringRefused(node, {
      expected: `attribute "input_shape" of ${window.kernel.length} numbers`,
      found: `[${size.join(', ')}]`,
    });
  }
  const rest = size.map((length, axis) => {
    const reach = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
    const padded = length + window.pads[axis]! + window.pads[axis + size.length]!;
    return padded - reach - (placesOf(window, axis, length) - 1) * window.strides[axis]!;
  });
  e.finish(0, 'ConvTranspose', {
    inputs: [e.input(0), e.input(1)],
    attributes: {
      ...windowAttributes(window),
      group: int(window.group),
      ...(rest.some((each) => each > 0) ? { output_padding: ints(rest) } : {}),
    },
  });
  return e.nodes;
};
