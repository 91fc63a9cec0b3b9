import {
  bitsOf,
  type DType,
  fromNumbers,
  intOf,
  isFloat,
  isInteger,
  roundHalfEven,
  type Tensor,
  toFloats,
  toNumbers,
} from '@espalier/core';
import { castTarget } from './cast.js';
import { axisWithin, type Call, type Evaluator, fits } from './evaluator.js';

/** Which scale belongs to element i: one for all, one per index of an axis, or one per block along it (opset 21). */
function scaleIndex(call: Call, x: Tensor, scale: Tensor): ((i: number) => number) | undefined {
  if (scale.shape.length === 0 || (scale.shape.length === 1 && scale.shape[0] === 1)) return () => 0;
  const axis = axisWithin(intOf(call.node, 'axis', 1), x.shape.length);
  if (axis === undefined) return undefined;
  const dim = x.shape[axis]!;
  const inner = x.shape.slice(axis + 1).reduce((product, each) => product * each, 1);
  const block = intOf(call.node, 'block_size', 0);
  if (block === 0) {
    if (scale.shape.length !== 1 || scale.shape[0] !== dim) return undefined;
    return (i) => Math.floor(i / inner) % dim;
  }
  const blocks = Math.ceil(dim / block);
  const wanted = x.shape.with(axis, blocks);
  if (scale.shape.length !== wanted.length || !wanted.every((each, k) => each === scale.shape[k])) return undefined;
  return (i) => {
    const row = Math.floor(i / inner);
    return (Math.floor(row / dim) * blocks + Math.floor((row % dim) / block)) * inner + (i % inner);
  };
}

function read(call: Call) {
  const [x, scale, zero] = call.inputs;
  if (!x || !scale || !isFloat(scale.dtype) || (call.node.inputs[2] !== undefined && !zero)) return undefined;
  const index = scaleIndex(call, x, scale);
  if (!index || (zero && zero.data.length !== scale.data.length && bitsOf(zero.dtype) >= 8)) return undefined;
  return { x, scale, index, scales: toFloats(scale), zeros: zero && toNumbers(zero), zero };
}

const stored = new Set<DType>(['int8', 'uint8', 'int16', 'uint16', 'int4', 'uint4', 'int2', 'uint2']);

/** QuantizeLinear: saturate(round_half_even(x / scale) + zero_point), the quotient rounded to float32 first. */
const quantize: Evaluator = (call) => {
  const parts = read(call);
  const to = parts?.zero?.dtype ?? castTarget(call.node, 'output_dtype') ?? 'uint8';
  if (!parts || !stored.has(to) || !['float32', 'float16'].includes(parts.x.dtype)) return undefined;
  if (!fits(call, to, parts.x.shape)) return undefined;
  const { x, index, scales, zeros } = parts;
  const bits = bitsOf(to);
  const [low, high] = to.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const from = toFloats(x);
  const codes = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) {
    const s = index(i);
    const code = roundHalfEven(Math.fround(from[i]! / scales[s]!)) + (zeros?.[s] ?? 0);
    codes[i] = Math.min(Math.max(code, low), high);
  }
  return [fromNumbers(to, x.shape, codes)];
};

/** DequantizeLinear: (q - zero_point) scale. */
const dequantize: Evaluator = (call) => {
  const parts = read(call);
  if (!parts || !isInteger(parts.x.dtype) || castTarget(call.node, 'output_dtype')) return undefined;
  const { x, scale, index, scales, zeros } = parts;
  if (!fits(call, scale.dtype, x.shape)) return undefined;
  const codes = toNumbers(x);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const s = index(i);
    values[i] = (codes[i]! - (zeros?.[s] ?? 0)) * scales[s]!;
  }
  return [fromNumbers(scale.dtype, x.shape, values)];
};

/** The two ends of QDQ. */
export const quantizeEvaluators = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
} satisfies Record<string, Evaluator>;
