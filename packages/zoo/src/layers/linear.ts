import { int, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';
import { type Initial, initial } from '../initial.js';

/** A fully connected layer. */
export interface LinearOptions {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** PyTorch's own when left out. */
  readonly weight?: Initial;
  /** U(±1/√from) when left out, as PyTorch has it. */
  readonly bias?: Initial;
  /** Name of the output; the layer's own when left out. */
  readonly output?: string;
}

/** y = x·Wᵀ + b for x [rows, from], with weights `NAME.weight` [to, from] and `NAME.bias` [to]. */
export function linear(model: Model, x: ValueId, options: LinearOptions): ValueId {
  const { name, from, to, weight = initial.fanIn, bias = initial.uniform(1 / Math.sqrt(from)) } = options;
  const inputs = [x, model.weight(`${name}.weight`, [to, from], weight), model.weight(`${name}.bias`, [to], bias)];
  return model.add('Gemm', inputs, { name: options.output ?? name, attributes: { transB: int(1) } });
}
