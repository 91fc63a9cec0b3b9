import { floats, type Tensor } from '@espalier/core';
import { badRequest } from '../errors.js';

/** 0 for what is pruned and 1 for what is kept, by parameter; parameters that are not named are kept whole. */
export type Masks = ReadonlyMap<string, Tensor>;

/** weights × masks: what the masks prune becomes zero, the rest is the same. @throws TRAINING_REQUEST. */
export function masked(weights: ReadonlyMap<string, Tensor>, masks: Masks): ReadonlyMap<string, Tensor> {
  const out = new Map(weights);
  for (const [name, mask] of masks) {
    const weight = weights.get(name);
    if (weight?.dtype !== 'float32' || mask.dtype !== 'float32' || weight.shape.join() !== mask.shape.join()) {
      throw badRequest(`mask of "${name}"`, {
        expected: weight ? `float32[${weight.shape.join(',')}], as the parameter` : 'the name of a parameter',
        found: `${mask.dtype}[${mask.shape.join(',')}]`,
      });
    }
    const product = new Float32Array(weight.data.length);
    for (let i = 0; i < product.length; i++) product[i] = mask.data[i] === 0 ? 0 : weight.data[i]!;
    out.set(name, floats(product, weight.shape));
  }
  return out;
}
