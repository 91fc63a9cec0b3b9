import { float, int, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';
import { initial } from '../initial.js';

/** Where a layer normalization stands, how many features it sees, and its ε. */
export interface LayerNormOptions {
  readonly name: string;
  readonly width: number;
  readonly epsilon: number;
}

/** Layer normalization over the last axis (Ba, Kiros and Hinton 2016, arXiv 1607.06450); begins without effect. */
export function layerNorm(model: Model, x: ValueId, { name, width, epsilon }: LayerNormOptions): ValueId {
  const scale = model.weight(`${name}.weight`, [width], initial.filled(1));
  const shift = model.weight(`${name}.bias`, [width], initial.filled(0));
  const attributes = { axis: int(-1), epsilon: float(epsilon) };
  return model.add('LayerNormalization', [x, scale, shift], { name, attributes });
}
