import { type Dim, intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { like } from './elementwise.js';
import { dtypeOfCode } from './onnx-dtype.js';
import { axisWithin, type ShapeRule, sameDim, shapeOfRank, typeOf } from './site.js';

const same = like();

/** Running statistics (and before opset 9 saved ones) come out beside the result when training. */
const batchNormalization: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 1);
  const channels = shape && (shape[1] ?? 1); // a vector has one channel
  const scale = site.shape(1)?.[0];
  if (channels !== undefined && scale !== undefined) sameDim(site, 'input channels and scale', channels, scale);
  const size = scale ?? channels;
  const statistic = (slot: number) =>
    typeOf(site.dtype(slot), site.shape(slot) ?? (size === undefined ? size : [size]));
  const saved = [3, 4].map(statistic);
  return [typeOf(site.dtype(0), shape), ...saved, ...saved];
};

const perChannel: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 2);
  const scale = site.shape(1)?.[0];
  if (shape && scale !== undefined) sameDim(site, 'input channels and scale', shape[1]!, scale);
  return [typeOf(site.dtype(0), shape)];
};

/** Scale and bias had one entry a group in opset 18, one a channel since. */
const groupNormalization: ShapeRule = (site) => [typeOf(site.dtype(0), shapeOfRank(site, 0, 3))];

const keptBefore = (shape: readonly Dim[], axis: number): readonly Dim[] =>
  shape.map((size, at) => (at < axis ? size : 1));

/** Result, then mean and inverse deviation with the normalized axes kept as 1, in the dtype of `stash_type`. */
const layerNormalization: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 1);
  const axis = shape && axisWithin(site, intOf(site.node, 'axis', -1), shape.length);
  const statistic = typeOf(
    dtypeOfCode(intOf(site.node, 'stash_type', 1)),
    shape && axis !== undefined ? keptBefore(shape, axis) : undefined,
  );
  return [typeOf(site.dtype(0), shape), statistic, statistic];
};

/** Result, mean, inverse deviation, and the sum of the inputs. */
const skipLayerNormalization: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 2, 3);
  const statistic = typeOf('float32', shape && keptBefore(shape, shape.length - 1));
  return [typeOf(site.dtype(0), shape), statistic, statistic, typeOf(site.dtype(0), shape)];
};

const softmax: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (shape && shape.length > 0) axisWithin(site, intOf(site.node, 'axis', -1), shape.length);
  return [typeOf(site.dtype(0), shape)];
};

/** Normalizations and the softmax family: all keep the shape. */
export const normalizationRules = {
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  Hardmax: softmax,
  InstanceNormalization: perChannel,
  LRN: same,
  LayerNormalization: layerNormalization,
  LogSoftmax: softmax,
  LpNormalization: same,
  MeanVarianceNormalization: same,
  RMSNormalization: same,
  SimplifiedLayerNormalization: layerNormalization,
  Softmax: softmax,
  'com.microsoft::GroupNorm': same,
  'com.microsoft::SkipGroupNorm': (site) => [
    typeOf(site.dtype(0), site.shape(0)),
    typeOf(site.dtype(0), site.shape(0)),
  ],
  'com.microsoft::SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipLayerNormalization,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
