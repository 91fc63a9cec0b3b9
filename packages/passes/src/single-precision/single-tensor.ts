import { type Tensor, tensor, toFloats } from '@espalier/core';

const largest = 3.4028234663852886e38;

/** The tensor in float32. Finite numbers beyond its largest become the largest: a mask stays finite. */
export function singleTensor(source: Tensor): Tensor<'float32'> {
  if (source.dtype !== 'float64') return tensor('float32', source.shape, toFloats(source));
  const held = (value: number) => (Number.isFinite(value) ? Math.max(-largest, Math.min(largest, value)) : value);
  return tensor('float32', source.shape, Float32Array.from(source.data, held));
}
