import { float } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';
import { initial } from '../initial.js';

const [zero, one] = [initial.filled(0), initial.filled(1)];

/**
 * Batch normalization in its inference form (Ioffe and Szegedy 2015, arXiv 1502.03167), ε = 1e-5, with the names of
 * PyTorch: `weight`, `bias`, `running_mean`, `running_var`. It begins as the identity. ONNX momentum 0.9 keeps 0.9 of
 * the old statistics, which PyTorch writes as 0.1.
 */
export function batchNorm(model: Model, x: FeatureMap, name: string): FeatureMap {
  const each = [x.channels];
  const inputs = [
    x.value,
    model.weight(`${name}.weight`, each, one),
    model.weight(`${name}.bias`, each, zero),
    model.weight(`${name}.running_mean`, each, zero),
    model.weight(`${name}.running_var`, each, one),
  ];
  const attributes = { epsilon: float(1e-5), momentum: float(0.9) };
  return { ...x, value: model.add('BatchNormalization', inputs, { name, attributes }) };
}
