import { type Dim, type DType, intOf, intsOf, tensorOf, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, ceilDivDims, subDims } from './dim.js';
import { dtypeAttribute } from './onnx-dtype.js';
import { wantedShape } from './reshape.js';
import { type ShapeRule, type Site, shapeOfRank, typeOf } from './site.js';

/** The type of what a Constant holds; undefined where it is sparse or a parameter of a function. */
function constantType({ node }: Site): ValueInfo | undefined {
  const attribute = node.attributes.values().next().value;
  switch (attribute?.kind) {
    case 'tensor':
      return { dtype: attribute.value.dtype, shape: attribute.value.shape };
    case 'int':
      return { dtype: 'int64', shape: [] };
    case 'ints':
      return { dtype: 'int64', shape: [attribute.value.length] };
    case 'float':
      return { dtype: 'float32', shape: [] };
    case 'floats':
      return { dtype: 'float32', shape: [attribute.value.length] };
    case 'text':
      return { dtype: 'string', shape: [] };
    case 'texts':
      return { dtype: 'string', shape: [attribute.value.length] };
    default:
      return undefined;
  }
}

/** A shape computed by other nodes, as far as it is known. */
function computedShape(site: Site, slot: number): readonly Dim[] | undefined {
  return wantedShape(site, slot)?.map((size, axis) => size ?? site.fresh(axis));
}

const constantOfShape: ShapeRule = (site) => [
  typeOf(tensorOf(site.node, 'value', undefined)?.dtype ?? 'float32', computedShape(site, 0)),
];

/** max(⌈(limit - start)/delta⌉, 0) numbers; names are taken to be large enough. */
const range: ShapeRule = (site) => {
  const [start, limit, delta] = [0, 1, 2].map((slot) => site.elements(slot)?.items[0]);
  const step = typeof delta === 'number' && delta !== 0 ? delta : undefined;
  if (start === undefined || limit === undefined || step === undefined) return [typeOf(site.dtype(0), [site.fresh(0)])];
  const length = step > 0 ? subDims(limit, start) : subDims(start, limit);
  const count =
    typeof length === 'number' ? Math.max(0, Math.ceil(length / Math.abs(step))) : ceilDivDims(length, Math.abs(step));
  return [typeOf(site.dtype(0), [count])];
};

const byShape =
  (fallback: DType): ShapeRule =>
  (site) => [typeOf(dtypeAttribute(site.node, 'dtype') ?? fallback, intsOf(site.node, 'shape', undefined))];

const likeInput: ShapeRule = (site) => [typeOf(dtypeAttribute(site.node, 'dtype') ?? site.dtype(0), site.shape(0))];

const eyeLike: ShapeRule = (site) => [
  typeOf(dtypeAttribute(site.node, 'dtype') ?? site.dtype(0), shapeOfRank(site, 0, 2, 2)),
];

const multinomial: ShapeRule = (site) => {
  const batch = shapeOfRank(site, 0, 2, 2)?.[0] ?? site.fresh(0);
  return [typeOf(dtypeAttribute(site.node, 'dtype') ?? 'int32', [batch, intOf(site.node, 'sample_size', 1)])];
};

/** A window of `size` samples. */
const samples: ShapeRule = (site) => [
  typeOf(dtypeAttribute(site.node, 'output_datatype') ?? 'float32', [site.elements(0)?.items[0] ?? site.fresh(0)]),
];

/** The sizes from `start` to `end` (opset 15); negative ones count from the end. */
export function shapeSpan(site: Site, rank: number): readonly [number, number] {
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + rank : at, 0), rank);
  const start = clamp(intOf(site.node, 'start', 0));
  return [start, Math.max(start, clamp(intOf(site.node, 'end', rank)))];
}

const shapeOf: ShapeRule = (site) => {
  const rank = site.shape(0)?.length;
  if (rank === undefined) return [typeOf('int64', [site.fresh(0)])];
  const [start, end] = shapeSpan(site, rank);
  return [typeOf('int64', [end - start])];
};

const melWeights: ShapeRule = (site) => {
  const [bins, length] = [0, 1].map((slot) => site.elements(slot)?.items[0]);
  const spectrum = length === undefined ? site.fresh(0) : addDims(ceilDivDims(subDims(length, 1), 2), 1);
  return [typeOf(dtypeAttribute(site.node, 'output_datatype') ?? 'float32', [spectrum, bins ?? site.fresh(1)])];
};

/** Ops that make tensors from attributes, shapes or nothing. */
export const generateRules = {
  Bernoulli: likeInput,
  BlackmanWindow: samples,
  Constant: (site) => [constantType(site)],
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  HammingWindow: samples,
  HannWindow: samples,
  MelWeightMatrix: melWeights,
  Multinomial: multinomial,
  RandomNormal: byShape('float32'),
  RandomNormalLike: likeInput,
  RandomUniform: byShape('float32'),
  RandomUniformLike: likeInput,
  Range: range,
  Shape: shapeOf,
  Size: () => [typeOf('int64', [])],
  'com.microsoft::Range': range,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
