import { type Rounding, type RoundingGrid, roundWeights } from '@espalier/core';
import { descendCodes } from '@espalier/quantizers';
import { badLayer } from '../errors.js';
import { exactRounding } from './exact-rounding.js';
import { integerBound } from './integer-bound.js';
import { quadraticForm } from './quadratic-form.js';
import type { SearchLimits } from './search-limits.js';

/** The known facts about one method on one sample: errors are squared output errors. */
export interface SampleRange {
  /** Least error that an algorithm reached, and which one. */
  readonly error: number;
  readonly method: string;
  /** No algorithm has less; 0 where nothing was proven. */
  readonly bound: number;
  /** Whether the two are within the gap. */
  readonly proven: boolean;
}

/** One row of one chunk. */
export interface RowSample {
  readonly gram: Float64Array;
  readonly weight: Float64Array;
}

/** All that is done with a sample besides heuristics; undefined leaves the bounds out. */
export type Certificates = (SearchLimits & { readonly gap: number; readonly nodes: number }) | undefined;

interface Best {
  readonly error: number;
  readonly method: string;
  readonly codes: Int32Array;
}

/** Nodes of the sphere decoder, about 0.1 µs each, against those of branch and bound, about 20 µs. */
const cheaper = 128;

/** Tries every rounding on a row, then certifies. @throws LAYER_NUMBERS where a rounding leaves the grid. */
export function judgeQuantization(
  { gram, weight }: RowSample,
  { grid, roundings }: { readonly grid: RoundingGrid; readonly roundings: Readonly<Record<string, Rounding>> },
  certify: Certificates,
): SampleRange {
  const size = weight.length;
  const problem = { gram, weight, grids: [grid], rows: 1, size };
  let best: Best = { error: Number.POSITIVE_INFINITY, method: '', codes: new Int32Array(size) };
  for (const [method, rounding] of Object.entries(roundings)) {
    const { codes } = roundWeights(rounding, problem);
    checkCodes(codes, size, { grid, method });
    const error = errorOf(gram, weight, { codes, step: grid.step });
    if (error < best.error) best = { error, method, codes };
  }
  if (!certify) return { error: best.error, method: best.method, bound: 0, proven: false };
  const { bound } = integerBound({ gram, weight, grid }, { precision: 1e-3 });
  if (bound >= best.error * (1 - certify.gap)) {
    return { error: best.error, method: best.method, bound: Math.min(bound, best.error), proven: true };
  }
  const found = exactRounding(
    { gram, weight, grid },
    { ...certify, nodes: cheaper * certify.nodes, start: best.codes },
  );
  const proof = found.exact ? found.error * (1 - certify.gap) : 0;
  if (found.error < best.error) {
    // A search that stopped early may still have left something for single changes.
    const codes = found.exact ? found.codes : descendCodes(problem, found.codes);
    best = { error: Math.min(found.error, errorOf(gram, weight, { codes, step: grid.step })), method: 'search', codes };
  }
  return {
    error: best.error,
    method: best.method,
    bound: Math.min(Math.max(bound, proof), best.error),
    proven: found.exact,
  };
}

function errorOf(
  gram: Float64Array,
  weight: Float64Array,
  { codes, step }: { readonly codes: Int32Array; readonly step: number },
): number {
  return Math.max(
    0,
    quadraticForm(
      gram,
      weight.map((w, i) => step * codes[i]! - w),
    ),
  );
}

function checkCodes(
  codes: Int32Array,
  size: number,
  { grid, method }: { readonly grid: RoundingGrid; readonly method: string },
): void {
  if (codes.length !== size) {
    throw badLayer(`rounding "${method}"`, { expected: `${size} codes`, found: `${codes.length}` });
  }
  for (const code of codes) {
    if (code >= grid.lowest && code <= grid.highest) continue;
    throw badLayer(`rounding "${method}"`, {
      expected: `codes from ${grid.lowest} to ${grid.highest}`,
      found: String(code),
    });
  }
}
