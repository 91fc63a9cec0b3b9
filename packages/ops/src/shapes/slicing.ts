import { type Dim, intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, ceilDivDims, floorDivDims, isAtLeast, minDims, mulDims, subDims } from './dim.js';
import { type Element, numbersOf } from './elements.js';
import { axisWithin, type ShapeRule, type Site, sameDim, shapeOfRank, typeOf } from './site.js';

/** One sliced axis; undefined entries are not known. */
interface Cut {
  readonly axis: number;
  readonly start: Element;
  readonly end: Element;
  readonly step: Element;
}

const farAway = 2 ** 31 - 1; // exporters write this or the ends of int64 for "to the end"

/** The cuts of a Slice: attributes before opset 10, inputs since; undefined when not even the axes are known. */
export function cutsOf(site: Site, rank: number): readonly Cut[] | undefined {
  const list = (name: string, slot: number): readonly Element[] | undefined =>
    intsOf(site.node, name, undefined) ?? site.elements(slot)?.items;
  const [starts, ends, steps] = [list('starts', 1), list('ends', 2), list('steps', 4)];
  const axes = intsOf(site.node, 'axes', undefined) ?? (site.node.inputs[3] ? numbersOf(site.elements(3)) : undefined);
  const count = starts?.length ?? ends?.length ?? axes?.length ?? site.shape(1)?.[0];
  if (typeof count !== 'number' || count > rank || (!axes && site.node.inputs[3])) return undefined;
  return Array.from({ length: count }, (_, i) => ({
    axis: axisWithin(site, axes?.[i] ?? i, rank),
    start: starts?.[i],
    end: ends?.[i],
    step: site.node.inputs[4] === undefined ? 1 : steps?.[i],
  }));
}

const slice: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const cuts = cutsOf(site, shape.length);
  if (!cuts)
    return [
      typeOf(
        site.dtype(0),
        shape.map((_, axis) => site.fresh(axis)),
      ),
    ];
  const out = [...shape];
  for (const cut of cuts) out[cut.axis] = cutSize(shape[cut.axis]!, cut) ?? site.fresh(cut.axis);
  return [typeOf(site.dtype(0), out)];
};

/** ⌈(end - start)/step⌉, both ends clamped to the axis as numpy does; names are taken to be large enough. */
function cutSize(size: Dim, { start, end, step }: Cut): Dim | undefined {
  if (start === undefined || end === undefined || typeof step !== 'number' || step === 0) return undefined;
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    return Math.max(0, Math.ceil(span(size, { start, end, step }) / step));
  }
  if (step < 0) {
    const whole = (start === -1 || isFar(start)) && typeof end === 'number' && end < -farAway;
    return whole ? ceilDivDims(size, -step) : undefined;
  }
  const from = clampedEnd(size, start);
  const to = clampedEnd(size, end);
  if (from === undefined || to === undefined) return undefined;
  const length = subDims(to, from);
  return typeof length === 'number' ? Math.max(0, Math.ceil(length / step)) : ceilDivDims(length, step);
}

/** Where a cut of a known axis begins; undefined when that is not known. */
export function cutStart(size: number, { start, end, step }: Cut): number | undefined {
  if (typeof start !== 'number' || typeof step !== 'number' || end === undefined) return undefined;
  const from = start < 0 ? start + size : start;
  return step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, 0), size - 1);
}

const isFar = (end: Dim): boolean => typeof end === 'number' && end >= farAway;

/** Clamped end - clamped start, all numbers. */
function span(size: number, { start, end, step }: { start: number; end: number; step: number }): number {
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, least), most);
  const from = step > 0 ? clamp(start) : Math.max(clamp(start), 0);
  return size === 0 ? 0 : clamp(end) - from;
}

function clampedEnd(size: Dim, end: Dim): Dim | undefined {
  if (isFar(end)) return size;
  if (end === 0) return 0;
  if (typeof end === 'number') {
    if (end < 0) return typeof size === 'number' ? Math.max(0, size + end) : end < -farAway ? 0 : addDims(size, end);
    return minDims(size, end);
  }
  return isAtLeast(end, 0) || isAtLeast(size, end) ? minDims(size, end) : undefined;
}

const concat: ShapeRule = (site) => {
  const slots = site.node.inputs.map((_, slot) => slot).filter((slot) => site.node.inputs[slot] !== undefined);
  return joined(site, slots, site.dtype(0));
};

/** Tensors laid one behind the other along `axis`; all other sizes agree. */
function joined(site: Site, slots: readonly number[], dtype: ReturnType<Site['dtype']>): ReturnType<ShapeRule> {
  const shapes = slots.map((slot) => site.shape(slot));
  const model = shapes.find((shape) => shape !== undefined);
  if (!model) return [typeOf(dtype)];
  const axis = axisWithin(site, intOf(site.node, 'axis', 1), model.length); // 1 was the default before opset 4
  const out = [...model];
  let sum: Dim | undefined = 0;
  for (const shape of shapes) {
    if (shape && shape.length !== model.length) {
      throw site.fail({ expected: `inputs of rank ${model.length}`, found: `rank ${shape.length}` });
    }
    sum = sum === undefined || !shape ? undefined : addDims(sum, shape[axis]!);
    if (!shape) continue;
    for (let at = 0; at < out.length; at++) {
      if (at !== axis) out[at] = sameDim(site, `inputs along axis ${at}`, out[at]!, shape[at]!);
    }
  }
  out[axis] = sum ?? site.fresh(axis);
  return [typeOf(dtype, out)];
}

/** The sizes of the parts: an attribute, an input, or equal parts with a smaller last one. */
export function partsOf(site: Site, size: Dim): readonly Element[] {
  const count = intOf(site.node, 'num_outputs', site.node.outputs.length);
  const given: readonly Element[] | undefined =
    intsOf(site.node, 'split', undefined) ?? (site.node.inputs[1] ? site.elements(1)?.items : undefined);
  if (given) return given;
  if (site.node.inputs[1]) return new Array<Element>(site.node.outputs.length).fill(undefined);
  if (typeof size === 'number') {
    const part = Math.ceil(size / count);
    return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)));
  }
  // A name is taken to divide evenly, which opsets before 18 demand.
  const part = ceilDivDims(size, count);
  const even = site.opset < 18 ? floorDivDims(size, count) : part;
  const last = subDims(size, mulDims(even, count - 1));
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? even : site.opset < 18 ? even : last));
}

const split: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return site.node.outputs.map(() => typeOf(site.dtype(0)));
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), shape.length);
  const parts = partsOf(site, shape[axis]!);
  const sum = parts.reduce<Element>(
    (total, part) => (total === undefined || part === undefined ? undefined : addDims(total, part)),
    0,
  );
  if (typeof sum === 'number' && typeof shape[axis] === 'number' && sum !== shape[axis]) {
    throw site.fail({ expected: `parts that add up to ${shape[axis]}`, found: `[${parts.join(',')}]` });
  }
  return site.node.outputs.map((_, output) =>
    typeOf(
      site.dtype(0),
      shape.map((size, at) => (at === axis ? (parts[output] ?? site.fresh(axis, output)) : size)),
    ),
  );
};

/** Sizes grow by the pads before and after; `axes` (opset 18) names the axes that pads are given for. */
const pad: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const attribute = intsOf(site.node, 'pads', undefined) ?? intsOf(site.node, 'paddings', undefined);
  const pads: readonly Element[] | undefined = attribute ?? site.elements(1)?.items;
  const axes = site.node.inputs[3] ? numbersOf(site.elements(3)) : shape.map((_, axis) => axis);
  if (!axes)
    return [
      typeOf(
        site.dtype(0),
        shape.map((_, axis) => site.fresh(axis)),
      ),
    ];
  if (pads && pads.length !== 2 * axes.length) {
    throw site.fail({ expected: `${2 * axes.length} pads`, found: `${pads.length}` });
  }
  const out = [...shape];
  axes.forEach((given, i) => {
    const axis = axisWithin(site, given, shape.length);
    const [before, after] = [pads?.[i], pads?.[i + axes.length]];
    const known = before !== undefined && after !== undefined;
    out[axis] = known ? addDims(shape[axis]!, addDims(before, after)) : site.fresh(axis);
  });
  return [typeOf(site.dtype(0), out)];
};

/** Cropped or padded to the sizes of the second input, along `axes`. */
const centerCropPad: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const axes = intsOf(site.node, 'axes', undefined) ?? shape.map((_, axis) => axis);
  const wanted = site.elements(1)?.items;
  const out = [...shape];
  axes.forEach((given, i) => {
    const axis = axisWithin(site, given, shape.length);
    out[axis] = wanted?.[i] ?? site.fresh(axis);
  });
  return [typeOf(site.dtype(0), out)];
};

const block = (site: Site): number => {
  const size = intOf(site.node, 'blocksize', 0);
  if (size >= 1) return size;
  throw site.fail({ expected: 'an attribute "blocksize" of at least 1', found: `${size}` });
};

const depthToSpace: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 4, 4);
  const by = block(site);
  if (!shape) return [typeOf(site.dtype(0))];
  const channels = shape[1]!;
  if (typeof channels === 'number' && channels % (by * by) !== 0) {
    throw site.fail({ expected: `channels divisible by ${by * by}`, found: `${channels}` });
  }
  return [
    typeOf(site.dtype(0), [shape[0]!, floorDivDims(channels, by * by), mulDims(shape[2]!, by), mulDims(shape[3]!, by)]),
  ];
};

const spaceToDepth: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 4, 4);
  const by = block(site);
  if (!shape) return [typeOf(site.dtype(0))];
  const spatial = shape.slice(2).map((size) => floorDivDims(size, by));
  return [typeOf(site.dtype(0), [shape[0]!, mulDims(shape[1]!, by * by), ...spatial])];
};

/** Ops that cut tensors, join them, or pad them. */
export const slicingRules = {
  CenterCropPad: centerCropPad,
  Concat: concat,
  DepthToSpace: depthToSpace,
  Pad: pad,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  'com.microsoft::QLinearConcat': (site) =>
    // Output scale and zero point, then a tensor, scale and zero point for each input.
    joined(
      site,
      site.node.inputs.map((_, slot) => slot).filter((slot) => slot >= 2 && slot % 3 === 2),
      site.dtype(1),
    ),
} as const satisfies Partial<Record<OpName, ShapeRule>>;
