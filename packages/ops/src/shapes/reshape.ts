import { type Dim, intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { broadcast } from './broadcast.js';
import { floorDivDims, mulDims, productOf } from './dim.js';
import { type Element, mostElements, numbersOf } from './elements.js';
import { axisWithin, type ShapeRule, type Site, typeOf } from './site.js';

/** The wanted shape of a node whose shape is an attribute or an input; undefined entries are not known. */
export function wantedShape(site: Site, slot: number): readonly Element[] | undefined {
  const attribute = intsOf(site.node, 'shape', undefined);
  if (attribute) return attribute;
  const known = site.elements(slot)?.items;
  if (known) return known;
  const count = site.shape(slot)?.[0];
  return typeof count === 'number' && count <= mostElements ? new Array<Element>(count).fill(undefined) : undefined;
}

/** 0 copies a size of the input (unless `allowzero`), -1 takes what is left over, and so does a lone unknown size. */
const reshape: ShapeRule = (site) => {
  const wanted = wantedShape(site, 1);
  if (!wanted) return [typeOf(site.dtype(0))];
  const input = site.shape(0);
  const zeros = intOf(site.node, 'allowzero', 0) === 1;
  const target = wanted.map((size, axis) => {
    if (size !== 0 || zeros || !input) return size === 0 && !zeros ? undefined : size;
    if (axis < input.length) return input[axis];
    throw site.fail({ expected: `at most ${input.length} axes that copy a size`, found: `a 0 at axis ${axis}` });
  });
  return [typeOf(site.dtype(0), filled(site, input, target))];
};

function filled(site: Site, input: readonly Dim[] | undefined, target: readonly Element[]): readonly Dim[] {
  const open = target.flatMap((size, axis) => (size === -1 || size === undefined ? [axis] : []));
  if (target.filter((size) => size === -1).length > 1) {
    throw site.fail({ expected: 'at most one -1 in the new shape', found: `[${target.join(',')}]` });
  }
  const known = target.filter((size): size is Dim => size !== -1 && size !== undefined);
  const left = input && leftOver(site, input, { known, exact: open.length === 0 });
  return target.map((size, axis) =>
    size !== -1 && size !== undefined ? size : open.length === 1 && left !== undefined ? left : site.fresh(axis),
  );
}

/** The product of the input's sizes over the product of the known ones: shared sizes cancel first. */
function leftOver(
  site: Site,
  input: readonly Dim[],
  { known, exact }: { readonly known: readonly Dim[]; readonly exact: boolean },
): Dim | undefined {
  const over = [...input];
  const under = known.filter((size) => {
    const at = over.indexOf(size);
    if (at < 0 || size === 0) return true;
    over.splice(at, 1);
    return false;
  });
  const [total, part] = [productOf(over), productOf(under)];
  if (
    typeof total === 'number' &&
    typeof part === 'number' &&
    (exact ? total !== part : part !== 0 && total % part !== 0)
  ) {
    throw site.fail({
      expected: `a shape of ${productOf(input)} elements`,
      found: `[${known.join(',')}]${exact ? '' : ' and one open size'}`,
      fix: 'The new shape must hold as many elements as the input.',
    });
  }
  return part === 0 ? undefined : floorDivDims(total, part);
}

const flatten: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0), [site.fresh(0), site.fresh(1)])];
  const given = intOf(site.node, 'axis', 1);
  const axis = given === shape.length ? given : axisWithin(site, given, Math.max(shape.length, 1));
  return [typeOf(site.dtype(0), [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))])];
};

/** Axes as an attribute, or since opset 13 as an input; undefined when the input is not known. */
const axesOf = (site: Site): readonly number[] | undefined =>
  intsOf(site.node, 'axes', undefined) ?? numbersOf(site.elements(1));

const squeeze: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const axes = axesOf(site);
  if (axes) {
    const gone = new Set(axes.map((axis) => axisWithin(site, axis, shape.length)));
    for (const axis of gone) {
      if (typeof shape[axis] === 'number' && shape[axis] !== 1) {
        throw site.fail({ expected: `size 1 at squeezed axis ${axis}`, found: `${shape[axis]}` });
      }
    }
    return [
      typeOf(
        site.dtype(0),
        shape.filter((_, at) => !gone.has(at)),
      ),
    ];
  }
  if (site.node.inputs[1] !== undefined) {
    const count = site.shape(1)?.[0];
    const rank = typeof count === 'number' ? shape.length - count : -1;
    return [typeOf(site.dtype(0), rank < 0 ? undefined : Array.from({ length: rank }, (_, axis) => site.fresh(axis)))];
  }
  // A size that is only a name might be 1, so the rank is open unless all are numbers.
  const certain = shape.every((size) => typeof size === 'number');
  return [typeOf(site.dtype(0), certain ? shape.filter((size) => size !== 1) : undefined)];
};

const unsqueeze: ShapeRule = (site) => {
  const shape = site.shape(0);
  const axes = axesOf(site);
  if (!shape) return [typeOf(site.dtype(0))];
  if (!axes) {
    const count = site.shape(1)?.[0];
    const rank = typeof count === 'number' ? shape.length + count : -1;
    return [typeOf(site.dtype(0), rank < 0 ? undefined : Array.from({ length: rank }, (_, axis) => site.fresh(axis)))];
  }
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisWithin(site, axis, rank)));
  if (added.size !== axes.length) {
    throw site.fail({ expected: 'distinct axes', found: `[${axes.join(',')}]` });
  }
  let next = 0;
  return [
    typeOf(
      site.dtype(0),
      Array.from({ length: rank }, (_, at) => (added.has(at) ? 1 : shape[next++]!)),
    ),
  ];
};

/** The input broadcast with the wanted shape, where an unknown size may be 1 or that of the result. */
const expand: ShapeRule = (site) => {
  const wanted = wantedShape(site, 1);
  const input = site.shape(0);
  if (!wanted || !input) return [typeOf(site.dtype(0))];
  const rank = Math.max(wanted.length, input.length);
  const target = wanted.map((size, at) => {
    const own = input[at + input.length - wanted.length];
    if (size === -1) return own ?? 1; // not in the standard, but written by exporters for "keep"
    return size ?? (typeof own === 'number' && own > 1 ? own : site.fresh(at + rank - wanted.length));
  });
  const lone = wanted.map((size, at) => (size === undefined ? target[at]! : undefined));
  const shape = broadcast(site, [input, target]).map((size, at) => lone[at + wanted.length - rank] ?? size);
  return [typeOf(site.dtype(0), shape)];
};

const tile: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const repeats = site.elements(1)?.items;
  if (repeats && repeats.length !== shape.length) {
    throw site.fail({ expected: `${shape.length} repeats`, found: `${repeats.length}` });
  }
  const tiled = shape.map((size, axis) => {
    const times = repeats?.[axis];
    return times === undefined ? site.fresh(axis) : mulDims(size, times);
  });
  return [typeOf(site.dtype(0), tiled)];
};

const transpose: ShapeRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return [typeOf(site.dtype(0))];
  const order = intsOf(site.node, 'perm', undefined);
  if (!order) return [typeOf(site.dtype(0), [...shape].reverse())];
  const axes = order.map((axis) => axisWithin(site, axis, shape.length));
  if (axes.length !== shape.length || new Set(axes).size !== axes.length) {
    throw site.fail({ expected: `an order of ${shape.length} axes`, found: `perm [${order.join(',')}]` });
  }
  return [
    typeOf(
      site.dtype(0),
      axes.map((axis) => shape[axis]!),
    ),
  ];
};

/** Ops that rearrange the same elements, or repeat them. */
export const reshapeRules = {
  Expand: expand,
  Flatten: flatten,
  Reshape: reshape,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
