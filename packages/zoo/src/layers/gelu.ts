import type { ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';

/** x·Φ(x) = x·(1 + erf(x/√2))/2 (Hendrycks and Gimpel 2016, arXiv 1606.08415), from ops of every opset. */
export function gelu(model: Model, x: ValueId, name: string): ValueId {
  const scaled = model.add('Mul', [x, model.number(Math.SQRT1_2)], { name: `${name}.scaled` });
  const shifted = model.add('Add', [model.add('Erf', [scaled], { name: `${name}.erf` }), model.number(1)], {
    name: `${name}.shifted`,
  });
  const twice = model.add('Mul', [x, shifted], { name: `${name}.twice` });
  return model.add('Mul', [twice, model.number(0.5)], { name });
}
