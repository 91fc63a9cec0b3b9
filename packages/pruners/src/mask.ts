import { sizeOf, type Tensor, type TypedArray, type ValueId } from '@espalier/core';
import { badMask } from './errors.js';
import { elementsOf } from './pruning-keys.js';

/** Which elements of a tensor are not zero: 1 for kept, 0 for pruned, row-major. */
export function maskOf(weight: Tensor): Uint8Array {
  const elements = elementsOf(weight);
  const mask = new Uint8Array(elements.length);
  for (let i = 0; i < mask.length; i++) mask[i] = elements[i] === 0 ? 0 : 1;
  return mask;
}

/** The tensor with zeros where the mask has them; the same object when nothing changes. @throws PRUNE_MASK. */
export function applyMask(weight: Tensor, mask: Uint8Array): Tensor {
  const size = sizeOf(weight.shape);
  if (mask.length !== size)
    throw badMask(`${weight.dtype}[${weight.shape.join(',')}]`, { expected: size, found: mask.length });
  const elements = elementsOf(weight);
  let data: TypedArray | undefined;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 0 || elements[i] === 0) continue;
    data ??= (weight.data as TypedArray).slice(); // texts have no elements to mask
    data[i] = 0;
  }
  return data ? ({ ...weight, data } as Tensor) : weight; // a slice has the class of its source
}

/** Weights by name. */
export type Weights = ReadonlyMap<ValueId, Tensor>;

/** A projection that training applies after each update: the weights that fulfil a constraint, nearest to the given ones. */
export type Projection = (weights: Weights, step: number) => Weights;

/**
 * The projection onto fixed masks, to train what pruning has left: pruned weights stay zero at every step.
 * `maskProjection(new Map([['w', Uint8Array.of(1, 0)]]))(weights, step)` has a zero second element of `w`.
 */
export const maskProjection =
  (masks: ReadonlyMap<ValueId, Uint8Array>): Projection =>
  (weights) => {
    const out = new Map(weights);
    let changed = false;
    for (const [value, mask] of masks) {
      const weight = weights.get(value);
      const masked = weight && applyMask(weight, mask);
      if (!masked || masked === weight) continue;
      out.set(value, masked);
      changed = true;
    }
    return changed ? out : weights;
  };
