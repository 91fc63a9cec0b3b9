import { type Container, type Dim, type DType, intOf, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { numbersOf } from './elements.js';
import { like } from './elementwise.js';
import { dtypeAttribute } from './onnx-dtype.js';
import { sameShape } from './settle.js';
import { axisWithin, type ShapeRule, type Site, typeOf } from './site.js';

const wrapped = (
  container: readonly Container[],
  dtype: DType | undefined,
  shape?: readonly Dim[],
): ValueInfo | undefined => {
  const inner = typeOf(dtype, shape);
  return inner && container.length > 0 ? { ...inner, container } : inner;
};

/** A sequence of tensors; a shape is only told when all of them have it, name by name. */
const sequence = (dtype: DType | undefined, shapes: readonly (readonly Dim[] | undefined)[]): ValueInfo | undefined => {
  const [first, ...rest] = shapes;
  return wrapped(['sequence'], dtype, first && rest.every((shape) => sameShape(first, shape)) ? first : undefined);
};

const unwrapped =
  (outermost: Container): ShapeRule =>
  (site) => {
    const info = site.info(0);
    if (!info) return [];
    const container = info.container ?? [];
    return [wrapped(container[0] === outermost ? container.slice(1) : container, info.dtype, info.shape)];
  };

const construct: ShapeRule = (site) => [
  sequence(
    site.dtype(0),
    site.node.inputs.map((_, slot) => site.shape(slot)),
  ),
];

const insert: ShapeRule = (site) => {
  const info = site.info(0);
  return [sequence(info?.dtype ?? site.dtype(1), [info?.shape, site.shape(1)])];
};

const kept: ShapeRule = (site) => [site.info(0)];

/** Tensors of a sequence laid one behind the other: only the joined size is open. */
const concatFromSequence: ShapeRule = (site) => {
  const info = site.info(0);
  if (!info?.shape) return [typeOf(info?.dtype)];
  const added = intOf(site.node, 'new_axis', 0) === 1;
  const rank = info.shape.length + (added ? 1 : 0);
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), rank);
  const open = site.fresh(axis);
  const shape = added
    ? [...info.shape.slice(0, axis), open, ...info.shape.slice(axis)]
    : info.shape.map((size, at) => (at === axis ? open : size));
  return [typeOf(info.dtype, shape)];
};

/** Parts along an axis: single slices unless `split` says otherwise. */
const splitToSequence: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [sequence(site.dtype(0), [])];
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), shape.length);
  const part = partSize(site, shape[axis]!);
  const single = site.node.inputs[1] === undefined;
  const dropped = single && intOf(site.node, 'keepdims', 1) === 0;
  const inner = shape.flatMap((size, at) => (at !== axis ? [size] : dropped ? [] : [part]));
  return [sequence(site.dtype(0), [inner.includes(undefined) ? undefined : (inner as readonly Dim[])])]; // just tested
};

// The common size of all parts, where they have one.
function partSize(site: Site, size: Dim): Dim | undefined {
  if (site.node.inputs[1] === undefined) return 1;
  const parts = numbersOf(site.elements(1));
  if (!parts?.length) return undefined;
  if (site.shape(1)?.length === 0) return typeof size === 'number' && size % parts[0]! === 0 ? parts[0] : undefined;
  return parts.every((part) => part === parts[0]) ? parts[0] : undefined;
}

const optional: ShapeRule = (site) => {
  const type = site.node.attributes.get('type');
  const info = site.info(0) ?? (type?.kind === 'type' ? type.value : undefined);
  return [info && wrapped(['optional', ...(info.container ?? [])], info.dtype, info.shape)];
};

/** The body is applied to each element of the first sequence, and of others beside it. */
const sequenceMap: ShapeRule = (site) => {
  const inputs = site.node.inputs.map((_, slot) => {
    const info = site.info(slot);
    const inner = info?.container?.[0] === 'sequence' ? wrapped(info.container.slice(1), info.dtype, info.shape) : info;
    return { info: inner };
  });
  const result = site.body('body', inputs);
  return (result?.outputs ?? []).map(({ info }) => {
    const local = info?.shape?.some((dim) => result!.isLocal(dim)); // there are outputs, so there is a result
    return info && wrapped(['sequence', ...(info.container ?? [])], info.dtype, local ? undefined : info.shape);
  });
};

/** Sequences and optional values: element types, and element shapes where all elements have the same. */
export const sequenceRules = {
  ConcatFromSequence: concatFromSequence,
  Optional: optional,
  OptionalGetElement: unwrapped('optional'),
  OptionalHasElement: () => [typeOf('bool', [])],
  ReverseSequence: like(),
  SequenceAt: unwrapped('sequence'),
  SequenceConstruct: construct,
  SequenceEmpty: (site) => [sequence(dtypeAttribute(site.node, 'dtype') ?? 'float32', [])],
  SequenceErase: kept,
  SequenceInsert: insert,
  SequenceLength: () => [typeOf('int64', [])],
  SequenceMap: sequenceMap,
  SplitToSequence: splitToSequence,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
