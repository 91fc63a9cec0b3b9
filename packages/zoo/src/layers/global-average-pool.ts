import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/** The mean of each channel, as a map of size 1. */
export const globalAveragePool = (model: Model, x: FeatureMap): FeatureMap => ({
  ...x,
  value: model.add('GlobalAveragePool', [x.value], { name: 'avgpool' }),
  size: 1,
});
