import { sizeOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import type { Layout } from '../../value.js';
import type { GpuCall } from '../gpu-kernel.js';
import { type GpuValue, gpuLayout, onGpu, sizesIn } from '../gpu-value.js';

/** The layout that spares the largest operands a conversion. */
export const commonLayout = (values: readonly GpuValue[], rank: number): Layout =>
  rank >= 3 && values.some((value) => value.shape.length === rank && gpuLayout(value) === 'last') ? 'last' : 'plain';

/** An operand as it lines up with others of `rank` axes in a layout. */
export function aligned(c: GpuCall, value: GpuValue, { rank, layout }: { rank: number; layout: Layout }): Device {
  if (layout === 'plain') return onGpu(c.gpu, value);
  if (value.shape.length === rank) return onGpu(c.gpu, value, 'last');
  if (sizeOf(value.shape) === 1) return c.tf.reshape(onGpu(c.gpu, value), []);
  const full = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
  const device = c.tf.reshape(onGpu(c.gpu, value), full);
  const moved = full.filter((dim) => dim !== 1).length > 1;
  const perm = [0, ...full.slice(2).map((_, i) => i + 2), 1];
  return moved ? c.tf.transpose(device, perm) : c.tf.reshape(device, sizesIn(full, 'last'));
}
