import { floatOf, intOf, sizeOf, type Tensor } from '@espalier/core';
import { broadcastShape, broadcastTo } from './broadcast.js';
import { type Evaluator, fits } from './evaluator.js';
import { numbersOf, resultsOf } from './numeric.js';
import { strided, stridesOf } from './strided.js';

/** Multiplications that are worth doing while rewriting a graph; larger products are left to the runtime. */
const mostProducts = 2 ** 24;

const float = (dtype: string): boolean => dtype === 'float32' || dtype === 'float64' || dtype === 'float16';

/** out[i, j] += Σ_k a[i, k] b[k, j], in float64, one block. */
function multiply(
  [a, b, out]: readonly [ArrayLike<number>, ArrayLike<number>, Float64Array],
  [m, k, n]: readonly [number, number, number],
  [atA, atB, atOut]: readonly [number, number, number],
): void {
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const left = a[atA + i * k + l]!;
      for (let j = 0; j < n; j++) out[atOut + i * n + j]! += left * b[atB + l * n + j]!;
    }
  }
}

function store(dtype: Tensor['dtype'], shape: readonly number[], sums: Float64Array): Tensor {
  const { values, finish } = resultsOf(dtype, shape);
  for (let i = 0; i < sums.length; i++) values[i] = sums[i]!;
  return finish();
}

/** MatMul by the NumPy rule: leading axes broadcast, a vector gains an axis that the result loses again. */
const matMul: Evaluator = (call) => {
  const [a, b] = call.inputs;
  if (!a || !b || a.dtype !== b.dtype || !float(a.dtype) || a.shape.length === 0 || b.shape.length === 0)
    return undefined;
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2));
  const [m, k, n] = [left.at(-2)!, left.at(-1)!, right.at(-1)!];
  if (!batch || right.at(-2) !== k || sizeOf(batch) * m * k * n > mostProducts) return undefined;
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  if (!fits(call, a.dtype, shape)) return undefined;
  const x = numbersOf(broadcastTo({ ...a, shape: left } as Tensor, [...batch, m, k]))!; // a float dtype, as checked
  const y = numbersOf(broadcastTo({ ...b, shape: right } as Tensor, [...batch, k, n]))!;
  const sums = new Float64Array(sizeOf(shape));
  for (let i = 0; i < sizeOf(batch); i++) multiply([x, y, sums], [m, k, n], [i * m * k, i * k * n, i * m * n]);
  return [store(a.dtype, shape, sums)];
};

const transposed = (x: Tensor, yes: boolean): Tensor => {
  if (!yes) return x;
  const strides = stridesOf(x.shape);
  return strided(x, { shape: x.shape.toReversed(), strides: strides.toReversed() });
};

/** Gemm: alpha A' B' + beta C. */
const gemm: Evaluator = (call) => {
  const [first, second, c] = call.inputs;
  if (first?.shape.length !== 2 || second?.shape.length !== 2 || !float(first.dtype)) return undefined;
  if (first.dtype !== second.dtype || (call.node.inputs[2] !== undefined && c?.dtype !== first.dtype)) return undefined;
  if (sizeOf(first.shape) > mostProducts || sizeOf(second.shape) > mostProducts) return undefined;
  const a = transposed(first, intOf(call.node, 'transA', 0) === 1);
  const b = transposed(second, intOf(call.node, 'transB', 0) === 1);
  const [m, k, n] = [a.shape[0]!, a.shape[1]!, b.shape[1]!];
  if (b.shape[0] !== k || m * k * n > mostProducts || !fits(call, a.dtype, [m, n])) return undefined;
  const sums = new Float64Array(m * n);
  multiply([numbersOf(a)!, numbersOf(b)!, sums], [m, k, n], [0, 0, 0]); // float dtypes, as checked
  const alpha = floatOf(call.node, 'alpha', 1);
  const beta = floatOf(call.node, 'beta', 1);
  const fitted = c && broadcastShape(c.shape, [m, n]);
  if (c && (fitted?.length !== 2 || fitted[0] !== m || fitted[1] !== n)) return undefined;
  const bias = c && numbersOf(broadcastTo(c, [m, n]));
  for (let i = 0; i < sums.length; i++) sums[i] = alpha * sums[i]! + (bias ? beta * bias[i]! : 0);
  return [store(a.dtype, [m, n], sums)];
};

/** Matrix products of small constants. */
export const matMulEvaluators = { MatMul: matMul, Gemm: gemm } satisfies Record<string, Evaluator>;
