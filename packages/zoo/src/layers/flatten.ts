import { int, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/** [batch, channels, size, size] as [batch, channels · size²]. */
export const flatten = (model: Model, x: FeatureMap): ValueId =>
  model.add('Flatten', [x.value], { name: 'flatten', attributes: { axis: int(1) } });
