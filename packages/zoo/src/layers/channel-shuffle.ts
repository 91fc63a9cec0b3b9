import { ints } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';

/**
 * Channels of two halves in turn: channel i·2 + j comes from half j, place i (Zhang et al. 2017, arXiv 1707.01083,
 * fig. 1).
 */
export function channelShuffle(model: Model, x: FeatureMap, name: string): FeatureMap {
  const apart = model.longs([0, 2, x.channels / 2, x.size, x.size]);
  const halves = model.add('Reshape', [x.value, apart], { name: `${name}.apart` });
  const turned = model.add('Transpose', [halves], {
    name: `${name}.turn`,
    attributes: { perm: ints([0, 2, 1, 3, 4]) },
  });
  const together = model.longs([0, x.channels, x.size, x.size]);
  return { ...x, value: model.add('Reshape', [turned, together], { name }) };
}
