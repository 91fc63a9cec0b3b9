import type { GridFreedom, RoundingGrid } from '@espalier/core';

/** Weights that share a grid, and how much the square of each one's error counts. */
export interface GridSample {
  readonly weight: Float64Array;
  /** Positive; as many as weights. */
  readonly importance: Float64Array;
}

const positions = [1, 0.95, 0.9, 0.85, 0.8, 0.7, 1.05, 1.1];
const cuts = [1, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6];
const smallestNormal = 1.1754943508222875e-38; // FLT_MIN

/**
 * The grid of least Σ h (w - step·q)² among grids with as many points as `like`. For the codes q of a first step, the
 * best step is Σ h w q / Σ h q², and what it explains of Σ h w² is (Σ h w q)² / Σ h q²; the codes that explain most win.
 * First steps put the largest weight near an end of the grid. `like` where the weights are all 0.
 */
export function fitGrid(sample: GridSample, like: RoundingGrid, free: GridFreedom): RoundingGrid {
  const { weight } = sample;
  let low = 0;
  let high = 0;
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]!;
    if (w < low) low = w;
    if (w > high) high = w;
  }
  if (low === high) return like;
  const found: Best = { explained: 0, grid: like };
  if (free.shift) shifted(sample, { low, high, like, found });
  else centred(sample, { low, high, like, found, negative: free.negative });
  return found.grid;
}

interface Best {
  explained: number;
  grid: RoundingGrid;
}

interface Ends {
  readonly low: number;
  readonly high: number;
  readonly like: RoundingGrid;
  readonly found: Best;
}

// With negative steps, the largest weight meets the longer side of the grid, whatever its sign.
function centred(sample: GridSample, { low, high, like, found, negative }: Ends & { readonly negative: boolean }) {
  const { lowest, highest } = like;
  const extreme = -low > high ? low : high;
  const covering = Math.max(lowest < 0 ? low / lowest : 0, highest > 0 ? high / highest : 0);
  const first = negative ? extreme / (-lowest >= highest ? lowest : highest) : covering;
  for (const position of positions) tryStep(sample, first * position, like, found);
}

function shifted(sample: GridSample, { low, high, like, found }: Ends) {
  const points = like.highest - like.lowest;
  let [from, to] = [1, 1];
  const attempt = (a: number, b: number): boolean => {
    const before = found.explained;
    const step = (high * b - low * a) / points;
    if (!(step > 0)) return false;
    const lowest = Math.max(-points, Math.min(0, Math.round((low * a) / step)));
    tryStep(sample, step, { step, lowest, highest: lowest + points }, found);
    return found.explained > before;
  };
  for (const cut of cuts) if (attempt(cut, cut)) [from, to] = [cut, cut];
  const [a, b] = [from, to];
  for (const cut of cuts) if (attempt(a * cut, to)) from = a * cut;
  for (const cut of cuts) if (attempt(from, b * cut)) to = b * cut;
}

function tryStep({ weight, importance }: GridSample, first: number, { lowest, highest }: RoundingGrid, found: Best) {
  let products = 0;
  let squares = 0;
  const inverse = 1 / first;
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]!;
    let code = Math.round(w * inverse);
    code = code < lowest ? lowest : code > highest ? highest : code;
    const part = importance[i]! * code;
    products += part * w;
    squares += part * code;
  }
  if (!(squares > 0)) return;
  const explained = (products * products) / squares;
  const step = Math.fround(products / squares);
  if (!(explained > found.explained) || Math.abs(step) < smallestNormal || step * first <= 0) return;
  found.explained = explained;
  found.grid = { step, lowest, highest };
}
