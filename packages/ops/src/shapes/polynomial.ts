import type { Dim } from '@espalier/core';

/**
 * A sum of products of names with whole coefficients. Keys are the sorted factors joined by `*`, `''` for the
 * constant term: `2*N + 1` is `{ 'N': 2, '': 1 }`. Zero is the empty map.
 */
export type Polynomial = ReadonlyMap<string, number>;

const longest = 240;
const mostTerms = 16;

/** Reads a dimension. Names that do not read as a sum of products (`batch-size`) stand for themselves. */
export function readPolynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]]);
  if (!/[ *\d(-]/.test(dim)) return new Map([[dim, 1]]);
  const terms = splitSum(dim);
  const out = new Map<string, number>();
  for (const term of terms ?? []) {
    const factors = splitTop(term.text, '*');
    if (!factors || factors.some((factor) => factor.trim() === '')) return new Map([[dim, 1]]);
    const names = factors.filter((factor) => !/^\d+$/.test(factor));
    const scale = factors.filter((factor) => /^\d+$/.test(factor)).reduce((product, each) => product * Number(each), 1);
    accumulate(out, names.sort().join('*'), term.sign * scale);
  }
  return terms ? out : new Map([[dim, 1]]);
}

/**
 * The dimension that a polynomial stands for, in one canonical spelling (`2*N + 1`, `3 - N`). Overlong ones get
 * a short name made from their text, so that equal ones stay equal.
 */
export function writePolynomial(polynomial: Polynomial): Dim {
  const names = [...polynomial.keys()].filter((key) => key !== '').sort();
  const constant = polynomial.get('') ?? 0;
  if (names.length === 0) return constant;
  const signed = [...names, ...(constant === 0 ? [] : [''])].map((key) => ({ key, by: polynomial.get(key)! }));
  const ordered = [...signed.filter(({ by }) => by > 0), ...signed.filter(({ by }) => by < 0)];
  let text = '';
  for (const [i, { key, by }] of ordered.entries()) {
    const size = Math.abs(by);
    const body = key === '' ? `${size}` : size === 1 ? key : `${size}*${key}`;
    text += i === 0 ? `${by < 0 ? '-' : ''}${body}` : ` ${by < 0 ? '-' : '+'} ${body}`;
  }
  return names.length > mostTerms ? shortName(text) : named(text);
}

/** The text itself, or a short name made from it when it is overlong. */
export const named = (text: string): string => (text.length > longest ? shortName(text) : text);

/** a + scale·b. */
export function plus(a: Polynomial, b: Polynomial, scale = 1): Polynomial {
  const out = new Map(a);
  for (const [key, by] of b) accumulate(out, key, by * scale);
  return out;
}

/** a·b. */
export function times(a: Polynomial, b: Polynomial): Polynomial {
  const out = new Map<string, number>();
  for (const [left, by] of a) {
    for (const [right, and] of b) accumulate(out, joinFactors(left, right), by * and);
  }
  return out;
}

/** a/b where it divides without remainder (long division in graded lexicographic order); undefined otherwise. */
export function quotient(a: Polynomial, b: Polynomial): Polynomial | undefined {
  if (b.size === 0) return undefined;
  const [leadKey, leadBy] = leading(b);
  const out = new Map<string, number>();
  let rest = a;
  for (let steps = 0; rest.size > 0; steps++) {
    const [key, by] = leading(rest);
    const factors = without(key, leadKey);
    if (factors === undefined || by % leadBy !== 0 || steps > mostTerms) return undefined;
    const part = new Map([[factors, by / leadBy]]);
    accumulate(out, factors, by / leadBy);
    rest = plus(rest, times(part, b), -1);
  }
  return out;
}

/** The pieces of `text` between separators that stand outside all brackets; undefined when brackets do not match. */
export function splitTop(text: string, separator: string): string[] | undefined {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth < 0) return undefined;
    else if (depth === 0 && text.startsWith(separator, i)) {
      pieces.push(text.slice(from, i));
      from = i + separator.length;
    }
  }
  return depth === 0 ? [...pieces, text.slice(from)] : undefined;
}

/** The factors of a polynomial's key. */
export const factorsOf = (key: string): readonly string[] => (key === '' ? [] : (splitTop(key, '*') ?? [key]));

function splitSum(text: string): readonly { readonly text: string; readonly sign: 1 | -1 }[] | undefined {
  return splitTop(text, ' + ')?.flatMap((piece, i) => {
    const negative = i === 0 && piece.startsWith('-');
    const [first = '', ...taken] = splitTop(negative ? piece.slice(1) : piece, ' - ') ?? [piece];
    return [
      { text: first, sign: negative ? -1 : 1 } as const,
      ...taken.map((part) => ({ text: part, sign: -1 }) as const),
    ];
  });
}

function accumulate(into: Map<string, number>, key: string, by: number): void {
  const sum = (into.get(key) ?? 0) + by;
  if (sum === 0) into.delete(key);
  else into.set(key, sum);
}

const joinFactors = (a: string, b: string): string =>
  a === '' ? b : b === '' ? a : [...factorsOf(a), ...factorsOf(b)].sort().join('*');

function leading(polynomial: Polynomial): readonly [string, number] {
  return [...polynomial].reduce((best, each) => (follows(each[0], best[0]) ? each : best));
}

// Graded lexicographic: more factors first, then the name that sorts first. A monomial order, so division ends.
function follows(a: string, b: string): boolean {
  const [left, right] = [factorsOf(a), factorsOf(b)];
  if (left.length !== right.length) return left.length > right.length;
  const at = left.findIndex((factor, i) => factor !== right[i]);
  return at >= 0 && left[at]! < right[at]!;
}

function without(key: string, removed: string): string | undefined {
  const rest = [...factorsOf(key)];
  for (const factor of factorsOf(removed)) {
    const at = rest.indexOf(factor);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest.join('*');
}

// 53 bits of two multiplicative hashes (after bryc's cyrb53): a collision would make two sizes look equal.
function shortName(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
    b = Math.imul(b ^ text.charCodeAt(i), 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return `?size_${(4294967296 * (2097151 & b) + (a >>> 0)).toString(36)}`;
}
