import { type Dim, intOf, intsOf, sizeOf, tensorOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, maxDims, minDims, productOf } from './dim.js';
import { smallShape, worthKeeping } from './element-arithmetic.js';
import {
  coordinatesOf,
  type Element,
  type Elements,
  elementsOf,
  indexAt,
  makeElements,
  mostElements,
  numberOf,
  numbersOf,
  vectorOf,
} from './elements.js';
import { shapeSpan } from './generate.js';
import { reducedAxes } from './reduce.js';
import { axisWithin, type ElementRule, type Site } from './site.js';
import { cutStart, cutsOf, partsOf } from './slicing.js';

/** The same elements under the output's shape. */
const relabelled: ElementRule = (site, [output]) => {
  const shape = smallShape(output);
  const elements = shape && site.elements(0);
  return [elements && elements.items.length === sizeOf(shape) ? { shape, items: elements.items } : undefined];
};

/** Every element of the output is an element of input 0, at coordinates computed from its own. */
const picked =
  (
    plan: (site: Site, data: Elements) => ((at: readonly number[]) => readonly number[] | undefined) | undefined,
  ): ElementRule =>
  (site, [output]) => {
    const shape = smallShape(output);
    const data = shape && site.elements(0);
    const from = data && plan(site, data);
    if (!from) return [];
    const pick = (index: number): Element => {
      const at = from(coordinatesOf(index, shape));
      return at && data.items[indexAt(at, data.shape)];
    };
    return [worthKeeping(makeElements(shape, pick))];
  };

const gather = picked((site, data) => {
  const indices = site.elements(1);
  if (!indices) return undefined;
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), data.shape.length);
  const depth = indices.shape.length;
  return (at) => {
    const index = indices.items[indexAt(at.slice(axis, axis + depth), indices.shape)];
    return typeof index === 'number'
      ? [...at.slice(0, axis), inside(site, index, data.shape[axis]!), ...at.slice(axis + depth)]
      : undefined;
  };
});

function inside(site: Site, index: number, size: number): number {
  if (index >= -size && index < size) return index < 0 ? index + size : index;
  throw site.fail({ expected: `indices from ${-size} to ${size - 1}`, found: `${index}` });
}

const slice = picked((site, data) => {
  const cuts = cutsOf(site, data.shape.length);
  const plans = cuts?.map((cut) => ({ ...cut, from: cutStart(data.shape[cut.axis]!, cut) }));
  if (!plans || plans.some(({ from, step }) => from === undefined || typeof step !== 'number')) return undefined;
  return (at) => {
    const out = [...at];
    for (const { axis, from, step } of plans) out[axis] = from! + at[axis]! * (step as number); // tested above
    return out;
  };
});

const transpose = picked((site, data) => {
  const order = intsOf(site.node, 'perm', undefined) ?? data.shape.map((_, axis) => data.shape.length - 1 - axis);
  return (at) =>
    data.shape.map((_, axis) => at[order.findIndex((each) => axisWithin(site, each, at.length) === axis)]!);
});

const stretched = picked(() => (at) => at);

const tile = picked((_, data) => (at) => at.map((index, axis) => index % data.shape[axis]!));

const concat: ElementRule = (site, [output]) => {
  const shape = smallShape(output);
  if (!shape || site.node.inputs.length > mostElements) return [];
  const axis = axisWithin(site, intOf(site.node, 'axis', 1), shape.length);
  const parts: { readonly to: number; readonly from: number; readonly elements: Elements | undefined }[] = [];
  let to = 0;
  for (const slot of site.node.inputs.keys()) {
    const size = site.shape(slot)?.[axis];
    if (typeof size !== 'number') return [];
    parts.push({ from: to, to: to + size, elements: site.elements(slot) });
    to += size;
  }
  if (parts.every(({ elements }) => !elements)) return [];
  const pick = (index: number): Element => {
    const at = coordinatesOf(index, shape);
    const part = parts.find((each) => at[axis]! < each.to);
    if (!part?.elements) return undefined;
    at[axis]! -= part.from;
    return part.elements.items[indexAt(at, part.elements.shape)];
  };
  return [worthKeeping(makeElements(shape, pick))];
};

const split: ElementRule = (site, outputs) => {
  const data = site.elements(0);
  if (!data) return [];
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), data.shape.length);
  const parts = numbersOf({ shape: [], items: partsOf(site, data.shape[axis]!) });
  if (!parts) return [];
  let from = 0;
  return outputs.map((output, i) => {
    const start = from;
    from += parts[i] ?? 0;
    const shape = smallShape(output);
    return (
      shape &&
      worthKeeping(
        makeElements(shape, (index) => {
          const at = coordinatesOf(index, shape);
          at[axis]! += start;
          return data.items[indexAt(at, data.shape)];
        }),
      )
    );
  });
};

/** Folds the elements that a reduction puts together. */
const reduced =
  (fold: (items: readonly Dim[]) => Element): ElementRule =>
  (site, [output]) => {
    const shape = smallShape(output);
    const data = shape && site.elements(0);
    const axes = reducedAxes(site);
    if (!data || axes === 'unknown') return [];
    if (axes === 'none') return [data];
    const rank = data.shape.length;
    const gone = new Set(axes === 'all' ? data.shape.keys() : axes.map((axis) => axisWithin(site, axis, rank)));
    const kept = data.shape.map((size, axis) => (gone.has(axis) ? 1 : size));
    const groups: Element[][] = Array.from({ length: sizeOf(kept) }, () => []);
    for (const [index, item] of data.items.entries())
      groups[indexAt(coordinatesOf(index, data.shape), kept)]!.push(item);
    const items = groups.map((group) => (group.includes(undefined) ? undefined : fold(group as readonly Dim[]))); // just tested
    return [worthKeeping({ shape, items })];
  };

/** The first input with the elements of updates put at indices along `axis`; only plain overwriting is followed. */
const scatterElements: ElementRule = (site, [output]) => {
  const [data, indices, updates] = [site.elements(0), site.elements(1), site.elements(2)];
  const shape = smallShape(output);
  if (!shape || !data || !indices || site.node.attributes.has('reduction')) return [];
  const axis = axisWithin(site, intOf(site.node, 'axis', 0), shape.length);
  return overwritten(
    data,
    indices.items.map((index, i) => {
      if (typeof index !== 'number') return undefined;
      const at = coordinatesOf(i, indices.shape);
      at[axis] = inside(site, index, shape[axis]!);
      return { at: indexAt(at, shape), item: updates?.items[i] };
    }),
  );
};

/** As above, whole slices addressed by the last axis of the indices; only single elements are followed. */
const scatterND: ElementRule = (site, [output]) => {
  const [data, indices, updates] = [site.elements(0), site.elements(1), site.elements(2)];
  const shape = smallShape(output);
  const depth = indices?.shape.at(-1);
  if (!shape || !data || !indices || depth !== shape.length || site.node.attributes.has('reduction')) return [];
  const count = indices.items.length / Math.max(depth, 1);
  return overwritten(
    data,
    Array.from({ length: count }, (_, i) => {
      const index = numbersOf(vectorOf(indices.items.slice(i * depth, (i + 1) * depth)));
      const at = index?.map((each, axis) => inside(site, each, shape[axis]!));
      return at && { at: indexAt(at, shape), item: updates?.items[i] };
    }),
  );
};

interface Write {
  readonly at: number;
  readonly item: Element;
}

function overwritten(data: Elements, writes: readonly (Write | undefined)[]): ReturnType<ElementRule> {
  if (writes.includes(undefined)) return []; // it could have gone anywhere
  const items = [...data.items];
  for (const write of writes) items[write!.at] = write!.item;
  return [worthKeeping({ shape: data.shape, items })];
}

/** Coordinates of what is not zero, one row an axis. */
const nonZero: ElementRule = (site, [output]) => {
  const data = site.elements(0);
  const shape = smallShape(output);
  if (!data || !shape) return [];
  const found = [...data.items.keys()].filter((i) => data.items[i] !== 0).map((i) => coordinatesOf(i, data.shape));
  if (found.length !== shape[1]) return [];
  return [{ shape, items: data.shape.flatMap((_, axis) => found.map((at) => at[axis])) }];
};

const constant: ElementRule = (site) => {
  const attribute = site.node.attributes.values().next().value;
  switch (attribute?.kind) {
    case 'tensor':
      return [elementsOf(attribute.value)];
    case 'int':
    case 'float':
      return [{ shape: [], items: [attribute.value] }];
    case 'ints':
    case 'floats':
      return [vectorOf(attribute.value)];
    default:
      return [];
  }
};

const constantOfShape: ElementRule = (site, [output]) => {
  const shape = smallShape(output);
  const value = tensorOf(site.node, 'value', undefined);
  const item = value ? elementsOf(value)?.items[0] : 0;
  return [shape && item !== undefined ? makeElements(shape, () => item) : undefined];
};

const range: ElementRule = (site, [output]) => {
  const shape = smallShape(output);
  const [start, delta] = [numberOf(site.elements(0)), numberOf(site.elements(2))];
  if (!shape || start === undefined || delta === undefined) return [];
  return [makeElements(shape, (index) => start + index * delta)];
};

const shapeOf: ElementRule = (site) => {
  const shape = site.shape(0);
  return [shape && vectorOf(shape.slice(...shapeSpan(site, shape.length)))];
};

const sizeOfInput: ElementRule = (site) => {
  const shape = site.shape(0);
  return [shape && { shape: [], items: [productOf(shape)] }];
};

/** Making, moving, cutting, joining and folding the elements of shape computations. */
export const movementElements = {
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: stretched,
  Flatten: relabelled,
  Gather: gather,
  Identity: relabelled,
  NonZero: nonZero,
  Range: range,
  ReduceMax: reduced((items) => (items.length > 0 ? items.reduce(maxDims) : undefined)),
  ReduceMin: reduced((items) => (items.length > 0 ? items.reduce(minDims) : undefined)),
  ReduceProd: reduced(productOf),
  ReduceSum: reduced((items) => items.reduce(addDims, 0)),
  Reshape: relabelled,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  Shape: shapeOf,
  Size: sizeOfInput,
  Slice: slice,
  Split: split,
  Squeeze: relabelled,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: relabelled,
} as const satisfies Partial<Record<OpName, ElementRule>>;
