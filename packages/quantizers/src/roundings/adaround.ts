import { definePlugin, gridAt, type Rounded, type RoundingProblem } from '@espalier/core';
import { addProducts } from './add-products.js';
import { withFittedGrids } from './fitted-grids.js';

/** Options of `adaroundRounding`. */
export interface AdaroundOptions {
  /** Steps of Adam. Default: 2000. */
  readonly iterations?: number;
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** λ, the weight of the part that drives h to 0 or 1. Default: 0.01. */
  readonly regularization?: number;
  /** The share of the steps before λ counts. Default: 0.2. */
  readonly warmup?: number;
}

/** The stretch of the sigmoid: h = clip(σ(v)(ζ - γ) + γ, 0, 1). */
const zeta = 1.1;
const gamma = -0.1;

/**
 * Adaptive rounding (AdaRound, Nagel et al. 2020, arXiv 2004.10568): each weight goes to the grid point below or above
 * it, whichever serves the output. With ŵ = step · clip(⌊w/step⌋ + h(v), lowest, highest) and d = ŵ - w, Adam lowers
 *
 *     Σ dᵀ G d / (mean(diag G) · mean(step²)) + λ Σ (1 - |2h - 1|^β),   G = XᵀX,
 *
 * (equations 21 to 24). v starts where h is the fraction of w/step; β falls from 20 to 2 after the warm-up; at the end h
 * is 1 where v ≥ 0. The paper draws batches of X; here every step sees all of them through G, of which each row needs
 * only the products with what changed. The activation after the layer is not in the error.
 */
export function adaroundRounding(problem: RoundingProblem, options: AdaroundOptions = {}): Rounded {
  const fixed = withFittedGrids(problem);
  const { rows, size } = fixed;
  const state = startOf(fixed);
  const { iterations = 2000, learningRate = 0.01, regularization = 0.01, warmup = 0.2 } = options;
  const band = 4; // rows whose gradients are computed together
  for (let row = 0; row < rows; row += band) {
    const last = Math.min(rows, row + band);
    learn(state, fixed.gram, { row, last, size, iterations, learningRate, regularization, warmup });
  }
  const codes = new Int32Array(rows * size);
  for (let at = 0; at < codes.length; at++) {
    const { lowest, highest } = gridAt(fixed, Math.floor(at / size), at % size);
    const code = state.base[at]! + (state.v[at]! >= 0 ? 1 : 0);
    codes[at] = Math.max(lowest, Math.min(highest, code));
  }
  return { codes, grids: fixed.grids };
}

interface State {
  /** ⌊w/step⌋. */
  readonly base: Int32Array;
  readonly step: Float64Array;
  readonly v: Float64Array;
  /** h as it was when the gradients were last brought up to date. */
  readonly h: Float64Array;
  /** step·(base + h) - w. */
  readonly errors: Float64Array;
  /** 0 for weights whose code is settled: outside the grid, or h at 0 or 1 (where its gradient is 0 from then on). */
  readonly open: Uint8Array;
}

function startOf(problem: RoundingProblem): State {
  const { weight, size } = problem;
  const length = weight.length;
  const state: State = {
    base: new Int32Array(length),
    step: new Float64Array(length),
    v: new Float64Array(length),
    h: new Float64Array(length),
    errors: new Float64Array(length),
    open: new Uint8Array(length),
  };
  for (let at = 0; at < length; at++) {
    const { step, lowest, highest } = gridAt(problem, Math.floor(at / size), at % size);
    const place = weight[at]! / step;
    const floor = Math.floor(place);
    state.step[at] = step;
    state.base[at] = floor;
    const inside = floor >= lowest && floor < highest;
    const h = place - floor;
    state.open[at] = inside ? 1 : 0;
    state.h[at] = h;
    // h beyond a settled end is never read: the code is clipped.
    state.v[at] = -Math.log((zeta - gamma) / (h - gamma) - 1);
    const code = inside ? place : Math.max(lowest, Math.min(highest, Math.round(place)));
    state.errors[at] = step * code - weight[at]!;
  }
  return state;
}

interface Learning extends Required<AdaroundOptions> {
  readonly row: number;
  readonly last: number;
  readonly size: number;
}

function learn(state: State, gram: Float64Array, learning: Learning): void {
  const { row, last, size, iterations, warmup } = learning;
  const rows = last - row;
  const [from, to] = [row * size, last * size];
  const slopes = new Float64Array(rows * size); // G d
  const product = { rows, size, from: 0, to: size, terms: size, sums: slopes };
  addProducts(state.errors.subarray(from, to), gram, product);
  const change = new Float64Array(rows * size);
  const scale = scaleOf(state.step.subarray(from, to), gram, size);
  const moments = { first: new Float64Array(rows * size), second: new Float64Array(rows * size) };
  const start = Math.floor(warmup * iterations);
  let left = openIn(state.open.subarray(from, to));
  for (let t = 1; t <= iterations && left.length > 0; t++) {
    const share = t <= start ? 0 : (t - start) / (iterations - start);
    const settled = adamStep(state, {
      ...learning,
      t,
      slopes,
      change,
      scale,
      moments,
      left,
      beta: t <= start ? 0 : 20 - 18 * share,
    });
    addChange(change, gram, { rows, size, left, slopes, product });
    for (const at of left) change[at] = 0;
    if (settled > 0) left = left.filter((at) => state.open[from + at] === 1);
  }
}

const openIn = (open: Uint8Array): Int32Array => Int32Array.from(open.keys()).filter((at) => open[at] === 1);

/** The divisor of the error: mean(diag G) · mean(step²). */
function scaleOf(step: Float64Array, gram: Float64Array, size: number): number {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  const square = step.reduce((sum, each) => sum + each * each, 0) / step.length;
  return (trace / size) * square || 1;
}

interface AdamStep extends Learning {
  readonly t: number;
  /** 0 during the warm-up. */
  readonly beta: number;
  readonly scale: number;
  readonly slopes: Float64Array;
  readonly change: Float64Array;
  readonly moments: { readonly first: Float64Array; readonly second: Float64Array };
  readonly left: Int32Array;
}

/** Moves every open v; returns how many were settled. */
function adamStep(state: State, step: AdamStep): number {
  const { row, size, t, beta, scale, slopes, change, left, learningRate, regularization } = step;
  const { first, second } = step.moments;
  const base = row * size;
  const [bias1, bias2] = [1 - 0.9 ** t, 1 - 0.999 ** t];
  let settled = 0;
  for (let n = 0; n < left.length; n++) {
    const i = left[n]!;
    const at = base + i;
    const width = state.step[at]!;
    const h = state.h[at]!;
    const side = 2 * h - 1;
    const pull = beta === 0 ? 0 : -2 * regularization * beta * Math.sign(side) * Math.abs(side) ** (beta - 1);
    const sigma = 1 / (1 + Math.exp(-state.v[at]!));
    const gradient = ((2 * width * slopes[i]!) / scale + pull) * (zeta - gamma) * sigma * (1 - sigma);
    first[i] = 0.9 * first[i]! + 0.1 * gradient;
    second[i] = 0.999 * second[i]! + 0.001 * gradient * gradient;
    const v = state.v[at]! - (learningRate * (first[i] / bias1)) / (Math.sqrt(second[i] / bias2) + 1e-8);
    state.v[at] = v;
    const raw = (zeta - gamma) / (1 + Math.exp(-v)) + gamma;
    const next = Math.min(1, Math.max(0, raw));
    change[i] = width * (next - h);
    state.h[at] = next;
    if (next === raw) continue;
    state.open[at] = 0;
    settled++;
  }
  return settled;
}

interface Change {
  readonly rows: number;
  readonly size: number;
  readonly left: Int32Array;
  readonly slopes: Float64Array;
  readonly product: Parameters<typeof addProducts>[2];
}

/** Adds G times the change to the slopes: along the open weights where they are few, else as one product. */
function addChange(change: Float64Array, gram: Float64Array, { rows, size, left, slopes, product }: Change): void {
  if (left.length > 0.4 * rows * size) {
    addProducts(change, gram, product);
    return;
  }
  for (let n = 0; n < left.length; n++) {
    const at = left[n]!;
    const by = change[at]!;
    if (by === 0) continue;
    const row = Math.floor(at / size) * size;
    const column = (at - row) * size;
    for (let j = 0; j < size; j++) slopes[row + j]! += by * gram[column + j]!;
  }
}

/** `adaroundRounding` as a plugin. */
export const adaround = definePlugin({
  kind: 'rounding',
  id: 'adaround',
  about: 'Learns for each weight whether it goes up or down, layer after layer.',
  options: {
    iterations: { type: 'integer', default: 2000, min: 1, about: 'steps of Adam' },
    learningRate: { type: 'number', default: 0.01, min: 1e-6, max: 1, about: 'learning rate of Adam' },
    regularization: {
      type: 'number',
      default: 0.01,
      min: 0,
      max: 100,
      about: 'weight of the part that ends between points',
    },
    warmup: { type: 'number', default: 0.2, min: 0, max: 0.9, about: 'share of the steps before that part counts' },
    inputs: {
      type: 'choice',
      of: ['float', 'quantized'],
      default: 'quantized',
      about: 'inputs of the float network, or layer after layer those that the layers already rounded give',
    },
  },
  create: ({ inputs, ...options }) =>
    Object.assign((problem: RoundingProblem) => adaroundRounding(problem, options), { inputs }),
});
