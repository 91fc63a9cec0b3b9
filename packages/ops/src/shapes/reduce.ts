import { type Dim, type DType, intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { numbersOf } from './elements.js';
import { axisWithin, type ShapeRule, type Site, typeOf } from './site.js';

/** The axes of a reduction: an attribute, or since opset 13 (sum) and 18 (the rest) an input; `unknown` if computed. */
export function reducedAxes(site: Site): readonly number[] | 'all' | 'none' | 'unknown' {
  const attribute = intsOf(site.node, 'axes', undefined);
  const given = attribute ?? (site.node.inputs[1] === undefined ? [] : numbersOf(site.elements(1)));
  if (!given) return 'unknown';
  if (given.length > 0) return given;
  return intOf(site.node, 'noop_with_empty_axes', 0) === 1 ? 'none' : 'all';
}

function reducedShape(site: Site): readonly Dim[] | undefined {
  const shape = site.shape(0);
  const axes = reducedAxes(site);
  const keep = intOf(site.node, 'keepdims', 1) === 1;
  if (axes === 'none') return shape;
  if (axes === 'all' && !keep) return [];
  if (!shape) return undefined;
  if (axes === 'all') return shape.map(() => 1);
  if (axes === 'unknown') return unknownAxes(site, shape, keep);
  const gone = new Set(axes.map((axis) => axisWithin(site, axis, shape.length)));
  return keep ? shape.map((size, at) => (gone.has(at) ? 1 : size)) : shape.filter((_, at) => !gone.has(at));
}

// Which axes go is not known, only (perhaps) how many.
function unknownAxes(site: Site, shape: readonly Dim[], keep: boolean): readonly Dim[] | undefined {
  if (keep) return shape.map((size, axis) => (size === 1 ? 1 : site.fresh(axis)));
  const count = site.shape(1)?.[0];
  if (typeof count !== 'number' || count > shape.length) return undefined;
  return Array.from({ length: shape.length - count }, (_, axis) => site.fresh(axis));
}

const reduction: ShapeRule = (site) => [typeOf(site.dtype(0), reducedShape(site))];

const arg: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf('int64')];
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), shape.length);
  const keep = intOf(site.node, 'keepdims', 1) === 1;
  return [
    typeOf(
      'int64',
      shape.flatMap((size, at) => (at !== axis ? [size] : keep ? [1] : [])),
    ),
  ];
};

const quantizedDtype = (site: Site): DType | undefined => site.dtype(4) ?? site.dtype(0);

/** Reductions over axes. */
export const reduceRules = {
  ArgMax: arg,
  ArgMin: arg,
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSum: reduction,
  ReduceSumSquare: reduction,
  'com.microsoft::QLinearReduceMean': (site) => [
    typeOf(quantizedDtype(site), site.node.attributes.has('axes') ? reducedShape(site) : undefined),
  ],
} as const satisfies Partial<Record<OpName, ShapeRule>>;
