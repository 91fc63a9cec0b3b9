import { type Grid, type Range, roundHalfEven } from '@espalier/core';
import { scaleLayout } from './granularity.js';
import { levelsOf } from './grid.js';
import { type Scales, scalesOf } from './scales.js';
import { eachRun, type WeightRangeChoice, weightRanges } from './weight-ranges.js';

/**
 * Scale and zero point for each group of a weight that is stored in integers and computed in floats. `minmax` covers
 * the range of a group. `mse` has the least squared error: on signed grids with zero in the middle by least squares,
 * where a scale may be negative so that the largest weight meets the longer side of the grid; on others by clipping.
 * Undefined where a weight is NaN or infinite. @throws QUANTIZE_RANGE.
 */
export function weightScales(
  values: Float32Array,
  shape: readonly number[],
  choice: WeightRangeChoice,
): Scales | undefined {
  const { grid, clip } = choice;
  const fitted = clip === 'mse' && grid.symmetric && grid.signed;
  const ranges = weightRanges(values, shape, fitted ? { ...choice, clip: 'minmax' } : choice);
  return ranges && (fitted ? leastSquares(values, shape, { ...choice, ranges }) : scalesOf(ranges, grid));
}

/** Positions of the largest weight on the grid that are tried, as shares of the lowest integer. */
const positions = [1, 0.95, 0.9, 0.8, 1.05, 1.1];
const smallestNormal = 1.1754943508222875e-38; // FLT_MIN

/**
 * For codes q of a first scale, the scale of least squared error is sum(x q) / sum(q q), and what it explains of
 * sum(x x) is sum(x q)^2 / sum(q q). The codes that explain most win.
 */
function leastSquares(
  values: Float32Array,
  shape: readonly number[],
  { grid, granularity, ranges }: WeightRangeChoice & { readonly ranges: readonly Range[] },
): Scales {
  const layout = scaleLayout(shape, granularity);
  const scales = scalesOf(ranges, grid);
  const best = new Float64Array(layout.count);
  for (const position of positions) {
    const { products, squares } = sumsOf(values, layout, { grid, steps: firstSteps(ranges, grid, position) });
    for (let group = 0; group < layout.count; group++) {
      const square = squares[group]!;
      const explained = square > 0 ? products[group]! ** 2 / square : 0;
      const scale = Math.fround(products[group]! / square);
      if (!(explained > best[group]!) || Math.abs(scale) < smallestNormal) continue;
      best[group] = explained;
      scales.scale[group] = scale;
    }
  }
  return scales;
}

/** The scale of each group with which its largest weight lies at a share of the lowest integer; 1 for zeros. */
const firstSteps = (ranges: readonly Range[], grid: Grid, position: number): Float64Array =>
  Float64Array.from(ranges, ({ min, max }) => (-min > max ? min : max) / (levelsOf(grid).low * position) || 1);

function sumsOf(
  values: Float32Array,
  layout: ReturnType<typeof scaleLayout>,
  { grid, steps }: { readonly grid: Grid; readonly steps: Float64Array },
): { readonly products: Float64Array; readonly squares: Float64Array } {
  const { low, high } = levelsOf(grid);
  const products = new Float64Array(layout.count);
  const squares = new Float64Array(layout.count);
  eachRun(layout, (group, start, end, stride) => {
    const inverse = 1 / steps[group]!;
    let product = 0;
    let square = 0;
    for (let at = start; at < end; at += stride) {
      const value = values[at]!;
      const code = Math.max(low, Math.min(high, roundHalfEven(value * inverse)));
      product += value * code;
      square += code * code;
    }
    products[group]! += product;
    squares[group]! += square;
  });
  return { products, squares };
}
