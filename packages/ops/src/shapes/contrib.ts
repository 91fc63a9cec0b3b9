import { intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { floorDivDims } from './dim.js';
import { numberOf } from './elements.js';
import { like } from './elementwise.js';
import { productShape } from './matmul.js';
import { axisWithin, type ShapeRule, shapeOfRank, typeOf } from './site.js';

const same = like();

/** Half of the last axis gates the other half. */
const splitInHalf: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 1);
  return [typeOf(site.dtype(0), shape && [...shape.slice(0, -1), floorDivDims(shape.at(-1)!, 2)])];
};

const expandDims: ShapeRule = (site) => {
  const shape = site.shape(0);
  const given = numberOf(site.elements(1));
  if (!shape) return [typeOf(site.dtype(0))];
  const axis = given === undefined ? undefined : axisWithin(site, given, shape.length + 1);
  const open = Array.from({ length: shape.length + 1 }, (_, at) => site.fresh(at));
  return [typeOf(site.dtype(0), axis === undefined ? open : shape.toSpliced(axis, 0, 1))];
};

/** Result and mask. */
const biasDropout: ShapeRule = (site) => [typeOf(site.dtype(0), site.shape(0)), typeOf('bool', site.shape(0))];

const product: ShapeRule = (site) => [typeOf(site.dtype(0), productShape(site, site.shape(0), site.shape(1)))];

const sparseProduct: ShapeRule = (site) => {
  const [a, b] = [shapeOfRank(site, 0, 2, 2), shapeOfRank(site, 1, 2, 2)];
  const rows = a?.[intOf(site.node, 'transA', 0) === 1 ? 1 : 0] ?? site.fresh(0);
  const columns = b?.[intOf(site.node, 'transB', 0) === 1 ? 0 : 1] ?? site.fresh(1);
  return [typeOf(site.dtype(1), [rows, columns])];
};

/** Fused and further ops of onnxruntime that belong to no other family. */
export const contribRules = {
  Affine: same,
  ParametricSoftplus: same,
  ScaledTanh: same,
  'com.microsoft::BiasAdd': same,
  'com.microsoft::BiasDropout': biasDropout,
  'com.microsoft::BiasGelu': same,
  'com.microsoft::BiasSoftmax': same,
  'com.microsoft::BiasSplitGelu': splitInHalf,
  'com.microsoft::BitmaskBiasDropout': (site) => [typeOf(site.dtype(0), site.shape(0))],
  'com.microsoft::ExpandDims': expandDims,
  'com.microsoft::FastGelu': same,
  'com.microsoft::Gelu': same,
  'com.microsoft::GemmFastGelu': product,
  'com.microsoft::MoE': same,
  'com.microsoft::NGramRepeatBlock': like(1),
  'com.microsoft::QMoE': same,
  'com.microsoft::QuickGelu': same,
  'com.microsoft::SparseToDenseMatMul': sparseProduct,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
