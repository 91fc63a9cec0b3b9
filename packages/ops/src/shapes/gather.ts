import { intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { mulDims, productOf } from './dim.js';
import { numbersOf } from './elements.js';
import { like } from './elementwise.js';
import { axisWithin, type ShapeRule, sameDim, shapeOfRank, typeOf } from './site.js';

/** The gathered axis is replaced by the axes of the indices. */
const gather: ShapeRule = (site) => {
  const data = shapeOfRank(site, 0, 1);
  const indices = site.shape(1);
  if (!data || !indices) return [typeOf(site.dtype(0))];
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), data.length);
  return [typeOf(site.dtype(0), [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])];
};

const gatherElements: ShapeRule = (site) => [typeOf(site.dtype(0), site.shape(1))];

/** The last axis of the indices addresses the leading axes of the data, behind `batch_dims` shared ones. */
const gatherND: ShapeRule = (site) => {
  const data = shapeOfRank(site, 0, 1);
  const indices = shapeOfRank(site, 1, 1);
  const depth = indices?.at(-1);
  if (!data || !indices || typeof depth !== 'number') return [typeOf(site.dtype(0))];
  const batch = intOf(site.node, 'batch_dims', 0);
  if (batch + depth > data.length) {
    throw site.fail({ expected: `indices into at most ${data.length - batch} axes`, found: `${depth}` });
  }
  const shared = data.slice(0, batch).map((size, at) => sameDim(site, `batch axis ${at}`, size, indices[at]!));
  return [typeOf(site.dtype(0), [...shared, ...indices.slice(batch, -1), ...data.slice(batch + depth)])];
};

/** Updates must have the shape of the indices. */
const scatterElements: ShapeRule = (site) => {
  const [indices, updates] = [site.shape(1), site.shape(2)];
  if (indices && updates && indices.length !== updates.length) {
    throw site.fail({ expected: `updates of rank ${indices.length}`, found: `rank ${updates.length}` });
  }
  return [typeOf(site.dtype(0), site.shape(0))];
};

/** Values and indices of the k best; k is an input since opset 10. */
const topK: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 1);
  if (!shape) return [typeOf(site.dtype(0)), typeOf('int64')];
  const axis = axisWithin(site, intOf(site.node, 'axis', -1), shape.length);
  const k = intOf(site.node, 'k', undefined) ?? site.elements(1)?.items[0] ?? site.fresh(axis);
  if (typeof k === 'number' && typeof shape[axis] === 'number' && k > shape[axis]) {
    throw site.fail({ expected: `k of at most ${shape[axis]}`, found: `${k}` });
  }
  const out = shape.map((size, at) => (at === axis ? k : size));
  return [typeOf(site.dtype(0), out), typeOf('int64', out)];
};

const nonZero: ShapeRule = (site) => {
  const rank = site.shape(0)?.length;
  const count = numbersOf(site.elements(0))?.filter((item) => item !== 0).length;
  return [typeOf('int64', [rank === undefined ? site.fresh(0) : Math.max(rank, 1), count ?? site.fresh(1)])];
};

const compress: ShapeRule = (site) => {
  const shape = site.shape(0);
  const axis = intOf(site.node, 'axis', undefined);
  if (axis === undefined) return [typeOf(site.dtype(0), [site.fresh(0)])];
  if (!shape) return [typeOf(site.dtype(0))];
  const at = axisWithin(site, axis, shape.length);
  return [
    typeOf(
      site.dtype(0),
      shape.map((size, i) => (i === at ? site.fresh(at) : size)),
    ),
  ];
};

/** Distinct elements (or slices along `axis`), then three int64 vectors; two are as long as there are distinct ones. */
const unique: ShapeRule = (site) => {
  const shape = site.shape(0);
  const axis = intOf(site.node, 'axis', undefined);
  const at = axis === undefined || !shape ? 0 : axisWithin(site, axis, shape.length);
  const count = site.fresh(at);
  const found = axis === undefined ? [count] : shape?.map((size, i) => (i === at ? count : size));
  const total = axis === undefined ? shape && productOf(shape) : shape?.[at];
  const perDistinct = typeOf('int64', [count]);
  return [typeOf(site.dtype(0), found), perDistinct, typeOf('int64', [total ?? site.fresh(0, 2)]), perDistinct];
};

/** A new axis of `depth` entries. */
const oneHot: ShapeRule = (site) => {
  const indices = site.shape(0);
  if (!indices) return [typeOf(site.dtype(2))];
  const axis = axisWithin(site, intOf(site.node, 'axis', -1), indices.length + 1);
  const depth = site.elements(1)?.items[0] ?? site.fresh(axis);
  return [typeOf(site.dtype(2), [...indices.slice(0, axis), depth, ...indices.slice(axis)])];
};

const kept: ShapeRule = like();

/** Rows [batch, class, box] of what is kept. */
const nonMaxSuppression: ShapeRule = (site) => [typeOf('int64', [site.fresh(0), 3])];

/** Values of block-quantized rows, in the dtype of the scales; 8-bit data holds two or more codes a byte. */
const gatherBlockQuantized: ShapeRule = (site) => {
  const data = shapeOfRank(site, 0, 1);
  const indices = site.shape(1);
  if (!data || !indices) return [typeOf(site.dtype(2))];
  const axis = axisWithin(site, intOf(site.node, 'gather_axis', 0), data.length);
  const packed = site.dtype(0) === 'uint8' ? 8 / intOf(site.node, 'bits', 4) : 1;
  const quantizedAxis = axisWithin(site, intOf(site.node, 'quantize_axis', 1), data.length);
  const unpacked = data.map((size, at) => (at === quantizedAxis ? mulDims(size, packed) : size));
  return [typeOf(site.dtype(2), [...unpacked.slice(0, axis), ...indices, ...unpacked.slice(axis + 1)])];
};

/** Ops that pick, place or count elements by index or condition. */
export const gatherRules = {
  Compress: compress,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonMaxSuppression: nonMaxSuppression,
  NonZero: nonZero,
  OneHot: oneHot,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: kept,
  TensorScatter: kept,
  TopK: topK,
  Unique: unique,
  'com.microsoft::GatherBlockQuantized': gatherBlockQuantized,
  'com.microsoft::GatherND': gatherND,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
