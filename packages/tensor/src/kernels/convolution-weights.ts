import { sizeOf } from '@espalier/core';
import type { Block } from '../heap.js';
import type { Call } from '../kernel.js';
import { copyView } from '../strided.js';
import { blockOf, derive, type Value } from '../value.js';
import type { Pair } from './window.js';

/** Strides in elements of the axes of a weight: group, output channel within it, input channel, and the taps. */
export interface WeightStrides {
  readonly first: number;
  readonly group: number;
  readonly output: number;
  readonly input: number;
  readonly taps: Pair;
}

/** Weights as `convolve` wants them: panels of eight output channels, [group][panel][kh][kw][input][8]. */
export function panelsOf(
  c: Call,
  pointer: number,
  of: { readonly group: number; readonly outputs: number; readonly inputs: number; readonly kernel: Pair },
  strides: WeightStrides,
): Block {
  const { group, outputs, inputs, kernel } = of;
  const panels = Math.ceil(outputs / 8);
  const panel = kernel[0] * kernel[1] * inputs * 8;
  const block = c.heap.allocate(group * panels * panel);
  if (outputs % 8 !== 0) c.heap.kernels.fill(block.pointer, block.count, 0);
  const whole = Math.floor(outputs / 8);
  const part = (from: number, count: number, lanes: number) =>
    copyView(c.heap, {
      shape: [group, count, lanes, inputs, ...kernel],
      source: {
        pointer: pointer + 4 * (strides.first + from * 8 * strides.output),
        strides: [strides.group, 8 * strides.output, strides.output, strides.input, ...strides.taps],
      },
      target: {
        pointer: block.pointer + 4 * from * panel,
        strides: [panels * panel, panel, 1, 8, kernel[1] * inputs * 8, inputs * 8],
      },
    });
  if (whole > 0) part(0, whole, 8);
  if (outputs % 8 !== 0) part(whole, 1, outputs % 8);
  return block;
}

/** Depthwise weights [K, 1, kh, kw] as [kh][kw][K]. */
export const tapsOf = (c: Call, weight: Value, kernel: Pair): Block =>
  derive(weight, 'taps', () => {
    const outputs = weight.shape[0]!;
    const block = c.heap.allocate(sizeOf(weight.shape));
    const area = kernel[0] * kernel[1];
    copyView(c.heap, {
      shape: [outputs, area],
      source: { pointer: blockOf(c.heap, weight, 'plain').pointer, strides: [area, 1] },
      target: { pointer: block.pointer, strides: [1, outputs] },
    });
    return block;
  });
