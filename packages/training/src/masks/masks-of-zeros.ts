import { floats, type Tensor } from '@espalier/core';
import type { Masks } from './masked.js';

/**
 * Masks that keep the zeros of weights that were pruned before: for every tensor of two or more axes that holds
 * zeros and something else. Biases and scales begin as zeros often enough that theirs mean nothing, and so does a
 * weight that is zero all over.
 */
export function masksOfZeros(weights: ReadonlyMap<string, Tensor>): Masks {
  const masks = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data }] of weights) {
    if (dtype !== 'float32' || shape.length < 2) continue;
    let kept = 0;
    for (let i = 0; i < data.length; i++) if (data[i] !== 0) kept++;
    if (kept === 0 || kept === data.length) continue;
    const mask = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) mask[i] = data[i] === 0 ? 0 : 1;
    masks.set(name, floats(mask, shape));
  }
  return masks;
}
