import { bitsOf, type Dim, type DType, intOf, isFloat, isInteger, roundHalfEven, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, floorDivDims, isAtLeast, maxDims, minDims, modDims, mulDims, subDims } from './dim.js';
import { coordinatesOf, type Element, type Elements, indexAt, makeElements, mostElements } from './elements.js';
import { dtypeAttribute } from './onnx-dtype.js';
import type { ElementRule, Site } from './site.js';

/** The sizes of an output whose elements are few enough to follow. */
export function smallShape(output: ValueInfo | undefined): readonly number[] | undefined {
  let size = 1;
  for (const dim of output?.shape ?? [Number.NaN]) size *= typeof dim === 'number' ? dim : Number.NaN;
  return size <= mostElements ? (output!.shape as readonly number[]) : undefined; // NaN compares as false
}

/** Elements, or nothing when not one of them is known. */
export const worthKeeping = (elements: Elements | undefined): Elements | undefined =>
  elements?.items.some((item) => item !== undefined) || elements?.items.length === 0 ? elements : undefined;

type Combine = (items: readonly Element[], site: Site) => Element;

const elementwise =
  (combine: Combine): ElementRule =>
  (site, [output]) => {
    const shape = smallShape(output);
    if (!shape) return [];
    const inputs: Elements[] = [];
    for (const slot of site.node.inputs.keys()) {
      if (site.node.inputs[slot] === undefined) continue;
      const elements = site.elements(slot);
      if (!elements) return [];
      inputs.push(elements);
    }
    return [worthKeeping(combined(shape, inputs, (items) => combine(items, site)))];
  };

const combined = (
  shape: readonly number[],
  inputs: readonly (Elements | undefined)[],
  combine: (items: readonly Element[]) => Element,
): Elements | undefined =>
  makeElements(shape, (index) => {
    const at = coordinatesOf(index, shape);
    return combine(inputs.map((input) => input?.items[indexAt(at, input.shape)]));
  });

/** Both operands known: numbers by `exact`, sizes by `symbolic` (whole numbers only). */
const binary = (
  exact: (a: number, b: number, dtype: DType | undefined) => number,
  symbolic: (a: Dim, b: Dim, dtype: DType | undefined) => Element,
): ElementRule =>
  elementwise(([a, b], site) => {
    if (a === undefined || b === undefined) return undefined;
    const dtype = site.dtype(0);
    if (typeof a === 'number' && typeof b === 'number') return inRange(exact(a, b, dtype), dtype);
    return Number.isInteger(typeof a === 'number' ? a : 0) && Number.isInteger(typeof b === 'number' ? b : 0)
      ? symbolic(a, b, dtype)
      : undefined;
  });

// float32 results are rounded as a runtime rounds them; whole numbers that would wrap are given up.
function inRange(value: number, dtype: DType | undefined): Element {
  if (dtype === 'float32') return Math.fround(value);
  if (dtype === undefined || !isInteger(dtype)) return value;
  const signed = dtype.startsWith('int');
  const most = Math.min(2 ** (bitsOf(dtype) - (signed ? 1 : 0)) - 1, Number.MAX_SAFE_INTEGER);
  return value <= most && value >= (signed ? -most - 1 : 0) ? value : undefined;
}

const isReal = (dtype: DType | undefined): boolean => dtype !== undefined && isFloat(dtype);

function divided(a: Dim, b: Dim, dtype: DType | undefined): Element {
  if (b === 0) return undefined;
  const down = floorDivDims(a, b);
  // A real quotient is only followed where it is whole.
  return isReal(dtype) && subDims(mulDims(down, b), a) !== 0 ? undefined : down;
}

const dividedNumbers = (a: number, b: number, dtype: DType | undefined): number =>
  isReal(dtype) ? a / b : b === 0 ? Number.NaN : Math.trunc(a / b);

/** ONNX Mod: the sign of the divisor, or of the dividend when `fmod` is 1. */
const mod: ElementRule = elementwise(([a, b], site) => {
  if (a === undefined || b === undefined || b === 0) return undefined;
  const likeC = intOf(site.node, 'fmod', 0) === 1;
  if (typeof a === 'number' && typeof b === 'number') return likeC ? a % b : a - b * Math.floor(a / b);
  return typeof b === 'number' && b > 0 && (!likeC || isAtLeast(a, 0)) && !isReal(site.dtype(0))
    ? modDims(a, b)
    : undefined;
});

const comparing = (holds: (difference: number) => boolean): ElementRule =>
  elementwise(([a, b]) => {
    if (a === undefined || b === undefined) return undefined;
    const sign = typeof a === 'number' && typeof b === 'number' ? Math.sign(a - b) : certainSign(a, b);
    return sign === undefined ? undefined : holds(sign) ? 1 : 0;
  });

// Names are at least 0, so N + 1 is positive, -N - 2 negative, and N alone is not decided.
function certainSign(a: Dim, b: Dim): number | undefined {
  if (a === b) return 0;
  if (isAtLeast(a, addDims(b, 1))) return 1;
  return isAtLeast(b, addDims(a, 1)) ? -1 : undefined;
}

/**
 * As other comparisons, but a named size is never -1 or another negative mark: exporters compare shapes with -1
 * before Expand, and an expression such as `7*floor((H + 24)/28) - 7` is a size there.
 */
const equal: ElementRule = elementwise(([a, b]) => {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 1 : 0;
  if (Number(a) < 0 || Number(b) < 0) return 0; // NaN for names
  const sign = certainSign(a, b);
  return sign === undefined ? undefined : sign === 0 ? 1 : 0;
});

const unary = (
  exact: (a: number) => number,
  symbolic: (a: Dim, site: Site) => Element = () => undefined,
): ElementRule =>
  elementwise(([a], site) => {
    if (a === undefined) return undefined;
    return typeof a === 'number' ? inRange(exact(a), site.dtype(0)) : symbolic(a, site);
  });

const whole = (a: Dim): Element => a; // a size is a whole number already
const size = (a: Dim): Element => (isAtLeast(a, 0) ? a : undefined);

const truth = (decide: (items: readonly Element[]) => boolean | undefined): ElementRule =>
  elementwise((items) => {
    const decided = decide(items);
    return decided === undefined ? undefined : decided ? 1 : 0;
  });

const both = (items: readonly Element[]): boolean | undefined =>
  items.some((item) => item === 0) ? false : items.includes(undefined) ? undefined : true;
const either = (items: readonly Element[]): boolean | undefined =>
  items.some((item) => item === 1) ? true : items.includes(undefined) ? undefined : false;

/** A chosen branch where the condition is known, and where both branches are the same. */
const where: ElementRule = (site, [output]) => {
  const shape = smallShape(output);
  if (!shape) return [];
  const inputs = [0, 1, 2].map((slot) => site.elements(slot));
  if (!inputs[1] && !inputs[2]) return [];
  const choose = ([condition, yes, no]: readonly Element[]): Element =>
    condition === undefined ? (yes === no ? yes : undefined) : condition !== 0 ? yes : no;
  return [worthKeeping(combined(shape, inputs, choose))];
};

function castElement(item: Element, to: DType | undefined): Element {
  if (item === undefined || to === undefined || to === 'string') return undefined;
  if (to === 'bool') return typeof item === 'number' ? Number(item !== 0) : undefined;
  if (typeof item !== 'number') return item;
  // The ends of int64 are marks ("to the end"): they stay what they are.
  return to === 'int64' ? Math.trunc(item) : inRange(isFloat(to) ? item : Math.trunc(item), to);
}

const extreme = (exact: (...all: number[]) => number, symbolic: (a: Dim, b: Dim) => Dim): ElementRule =>
  elementwise((items) => {
    if (items.includes(undefined)) return undefined;
    const known = items as readonly Dim[]; // none is undefined
    return known.reduce((a, b) => (typeof a === 'number' && typeof b === 'number' ? exact(a, b) : symbolic(a, b)));
  });

/** Arithmetic, comparison and choice on the elements of shape computations. */
export const arithmeticElements = {
  Abs: unary(Math.abs, size),
  Add: binary((a, b) => a + b, addDims),
  And: truth(both),
  Cast: elementwise(([item], site) => castElement(item, dtypeAttribute(site.node, 'to'))),
  CastLike: (site, [output]) => {
    const elements = smallShape(output) && site.elements(0);
    return [elements && worthKeeping({ ...elements, items: elements.items.map((i) => castElement(i, site.dtype(1))) })];
  },
  Ceil: unary(Math.ceil, whole),
  Div: binary(dividedNumbers, divided),
  Equal: equal,
  Floor: unary(Math.floor, whole),
  Greater: comparing((sign) => sign > 0),
  GreaterOrEqual: comparing((sign) => sign >= 0),
  Less: comparing((sign) => sign < 0),
  LessOrEqual: comparing((sign) => sign <= 0),
  Max: extreme(Math.max, maxDims),
  Min: extreme(Math.min, minDims),
  Mod: mod,
  Mul: binary((a, b) => a * b, mulDims),
  Neg: unary(
    (a) => 0 - a,
    (a) => subDims(0, a),
  ),
  Not: truth(([a]) => (a === undefined ? undefined : a === 0)),
  Or: truth(either),
  Pow: binary(
    (a, b) => a ** b,
    () => undefined,
  ),
  Relu: unary((a) => Math.max(a, 0), size),
  Round: unary(roundHalfEven, whole),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Sub: binary((a, b) => a - b, subDims),
  Where: where,
  Xor: truth(([a, b]) => (a === undefined || b === undefined ? undefined : a !== b)),
} as const satisfies Partial<Record<OpName, ElementRule>>;
