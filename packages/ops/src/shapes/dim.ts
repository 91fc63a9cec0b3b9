import type { Dim } from '@espalier/core';
import {
  factorsOf,
  named,
  type Polynomial,
  plus,
  quotient,
  readPolynomial,
  splitTop,
  times,
  writePolynomial,
} from './polynomial.js';

/**
 * Arithmetic on sizes that may be names. Results have one canonical spelling, so equal expressions are equal
 * strings: `addDims('N', 'N')` is `2*N`, `addDims(floorDivDims('H', 2), 1)` is `floor(H/2) + 1`.
 * Names stand for sizes, so they are taken to be at least 0.
 */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return a === 0 ? b : b === 0 ? a : writePolynomial(plus(readPolynomial(a), readPolynomial(b)));
}

/** a - b. */
export function subDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a === b ? 0 : b === 0 ? a : writePolynomial(plus(readPolynomial(a), readPolynomial(b), -1));
}

/** a·b. */
export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return a === 1 ? b : b === 1 ? a : writePolynomial(times(readPolynomial(a), readPolynomial(b)));
}

/** The product of all dimensions; 1 for none. */
export const productOf = (dims: readonly Dim[]): Dim => dims.reduce(mulDims, 1);

/** ⌊a/b⌋. Nested divisions are merged: ⌊(⌊a/m⌋ + c)/n⌋ = ⌊(a + c·m)/(m·n)⌋. */
export function floorDivDims(a: Dim, b: Dim): Dim {
  if (b === 1) return a;
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b);
  const over = readPolynomial(a);
  const exact = quotient(over, readPolynomial(b));
  if (exact) return writePolynomial(exact);
  if (typeof b !== 'number' || b <= 0) return named(`floor(${bracket(a)}/${bracket(b)})`);
  const whole = new Map<string, number>();
  const rest = new Map<string, number>();
  for (const [key, by] of over) {
    const out = key === '' || by % b === 0 ? Math.floor(by / b) : 0;
    if (out !== 0) whole.set(key, out);
    if (by !== out * b) rest.set(key, by - out * b);
  }
  return addDims(writePolynomial(whole), floorOf(rest, b));
}

function floorOf(over: Polynomial, by: number): Dim {
  const keys = [...over.keys()].filter((key) => key !== '');
  if (keys.length === 0) return 0; // the constant was reduced to 0 .. by-1
  if (over.get(keys.sort()[0]!)! < 0) {
    // ⌊-p/b⌋ = -⌊(p + b - 1)/b⌋: one spelling for both, and what stands for a size is not negative.
    const up = writePolynomial(plus(new Map([['', by - 1]]), over, -1));
    return subDims(0, floorDivDims(up, by));
  }
  const inner = keys.length === 1 && over.get(keys[0]!) === 1 ? readFloor(keys[0]!) : undefined;
  if (inner && typeof inner.by === 'number') {
    return floorDivDims(addDims(inner.over, (over.get('') ?? 0) * inner.by), inner.by * by);
  }
  return named(`floor(${bracket(writePolynomial(over))}/${by})`);
}

/** ⌈a/b⌉ for b > 0. */
export const ceilDivDims = (a: Dim, b: number): Dim => floorDivDims(addDims(a, b - 1), b);

/** a mod b with the sign of b, as ONNX Mod has it for integers: a - b·⌊a/b⌋. */
export const modDims = (a: Dim, b: Dim): Dim => subDims(a, mulDims(b, floorDivDims(a, b)));

/** The larger of two sizes: `max(M, N)` where it is not clear which. */
export const maxDims = (a: Dim, b: Dim): Dim => extreme('max', a, b);

/** The smaller of two sizes: `min(M, N)` where it is not clear which. */
export const minDims = (a: Dim, b: Dim): Dim => extreme('min', a, b);

/** Whether a ≥ b whatever sizes the names stand for: a - b is a sum of products of what is never negative. */
export function isAtLeast(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a >= b;
  const difference = plus(readPolynomial(a), readPolynomial(b), -1);
  return [...difference].every(([key, by]) => by > 0 && factorsOf(key).every(isNeverNegative));
}

function isNeverNegative(factor: string): boolean {
  const floor = readFloor(factor);
  if (floor) return isAtLeast(floor.over, 0) && isAtLeast(floor.by, 0);
  const least = argumentsOf('min', factor)?.every((each) => isAtLeast(each, 0));
  return least ?? argumentsOf('max', factor)?.some((each) => isAtLeast(each, 0)) ?? true;
}

/** A dimension with names replaced: `bindDim('floor((H + 1)/2)', new Map([['H', 224]]))` is 112. */
export function bindDim(dim: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim === 'number') return dim;
  const whole = bindings.get(dim);
  if (whole !== undefined) return whole;
  let sum: Dim = 0;
  for (const [key, by] of readPolynomial(dim)) {
    sum = addDims(sum, mulDims(by, productOf(factorsOf(key).map((factor) => bindFactor(factor, bindings)))));
  }
  return sum;
}

function bindFactor(factor: string, bindings: ReadonlyMap<string, Dim>): Dim {
  const bound = bindings.get(factor);
  if (bound !== undefined) return bound;
  const floor = readFloor(factor);
  if (floor) return floorDivDims(bindDim(floor.over, bindings), bindDim(floor.by, bindings));
  for (const name of ['max', 'min'] as const) {
    const among = argumentsOf(name, factor);
    if (among) return among.map((each) => bindDim(each, bindings)).reduce((a, b) => extreme(name, a, b));
  }
  return factor;
}

function extreme(name: 'max' | 'min', a: Dim, b: Dim): Dim {
  if (a === b) return a;
  if (typeof a === 'number' && typeof b === 'number') return Math[name](a, b);
  const all = [...new Set([a, b].flatMap((each) => argumentsOf(name, each) ?? [each]))];
  const opposite = name === 'max' ? 'min' : 'max';
  const kept = all.filter((each, i) => {
    const absorbed = argumentsOf(opposite, each)?.some((inner) => all.includes(inner));
    return !absorbed && !all.some((other, j) => i !== j && beats(name, other, each));
  });
  if (kept.length === 1) return kept[0]!;
  const texts = kept.map(String).sort();
  return named(`${name}(${texts.join(', ')})`);
}

// Whether `a` makes `b` superfluous whatever the names stand for. The two are never equal.
const beats = (name: 'max' | 'min', a: Dim, b: Dim): boolean => (name === 'max' ? isAtLeast(a, b) : isAtLeast(b, a));

function argumentsOf(name: 'max' | 'min', dim: Dim): readonly Dim[] | undefined {
  if (typeof dim === 'number' || !dim.startsWith(`${name}(`) || !dim.endsWith(')')) return undefined;
  const inner = splitTop(dim.slice(name.length + 1, -1), ', ');
  return inner?.map((each) => (/^-?\d+$/.test(each) ? Number(each) : each));
}

function readFloor(text: string): { readonly over: Dim; readonly by: Dim } | undefined {
  if (!text.startsWith('floor(') || !text.endsWith(')')) return undefined;
  const parts = splitTop(text.slice(6, -1), '/');
  if (parts?.length !== 2) return undefined;
  const [over, by] = parts.map((part) => (part.startsWith('(') ? part.slice(1, -1) : part));
  return { over: writePolynomial(readPolynomial(over!)), by: writePolynomial(readPolynomial(by!)) };
}

const bracket = (dim: Dim): string => (typeof dim === 'number' || !/[ */,]/.test(dim) ? `${dim}` : `(${dim})`);
