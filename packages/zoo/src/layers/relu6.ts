import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/** ReLU6: min(max(x, 0), 6). */
export const relu6 = (model: Model, x: FeatureMap, name: string): FeatureMap => ({
  ...x,
  value: model.add('Clip', [x.value, model.number(0), model.number(6)], { name }),
});
