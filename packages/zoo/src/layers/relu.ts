import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/** max(x, 0). */
export const relu = (model: Model, x: FeatureMap, name: string): FeatureMap => ({
  ...x,
  value: model.add('Relu', [x.value], { name }),
});
