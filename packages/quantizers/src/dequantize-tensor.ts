import { type Tensor, tensor, toNumbers, unpack } from '@espalier/core';
import { parametersInvalid } from './errors.js';
import { type Granularity, scaleLayout } from './granularity.js';
import type { Scales } from './scales.js';

/**
 * x = (q - zeroPoint) * scale, in float32 as runtimes compute it; the inverse of `quantizeTensor` up to rounding.
 * @throws QUANTIZE_PARAMETERS when the number of scales does not fit.
 */
export function dequantizeTensor(
  source: Tensor,
  { granularity, scales: { scale, zeroPoint } }: { readonly granularity: Granularity; readonly scales: Scales },
): Tensor<'float32'> {
  const layout = scaleLayout(source.shape, granularity);
  const { outer, length, inner, size, blocks } = layout;
  if (scale.length !== layout.count || zeroPoint.length !== layout.count) {
    const found = `${scale.length} and ${zeroPoint.length}`;
    throw parametersInvalid(source.shape, `${layout.count} scales and zero points`, found);
  }
  const codes = codesOf(source, outer * length * inner);
  const out = new Float32Array(outer * length * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      const first = size > 0 ? (o * blocks + Math.floor(k / size)) * inner : k;
      const step = size > 0 ? 1 : 0;
      for (let i = 0; i < inner; i++) {
        const group = first + i * step;
        out[at] = (codes[at]! - zeroPoint[group]!) * scale[group]!;
        at++;
      }
    }
  }
  return tensor('float32', source.shape, out);
}

function codesOf(source: Tensor, count: number): ArrayLike<number> {
  switch (source.dtype) {
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
      return source.data;
    case 'int4':
    case 'uint4':
      return unpack(source.data, count, 4, source.dtype === 'int4');
    default:
      return toNumbers(source);
  }
}
