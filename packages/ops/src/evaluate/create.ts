import {
  type Attribute,
  allocate,
  floats,
  fromNumbers,
  intOf,
  longs,
  scalar,
  sizeOf,
  type Tensor,
  tensor,
  tensorOf,
} from '@espalier/core';
import { castTarget } from './cast.js';
import { axisWithin, type Evaluator, fits } from './evaluator.js';
import { bigintsOf, numbersOf, resultsOf, wholeNumbersOf } from './numeric.js';
import { isMovable, take } from './strided.js';

const constantForms = {
  value: (each: Attribute) => (each.kind === 'tensor' ? each.value : undefined),
  value_float: (each: Attribute) => (each.kind === 'float' ? scalar(each.value) : undefined),
  value_floats: (each: Attribute) => (each.kind === 'floats' ? floats(each.value) : undefined),
  value_int: (each: Attribute) => (each.kind === 'int' ? longs([each.value], []) : undefined),
  value_ints: (each: Attribute) => (each.kind === 'ints' ? longs(each.value) : undefined),
  value_string: (each: Attribute) => (each.kind === 'text' ? tensor('string', [], [each.value]) : undefined),
  value_strings: (each: Attribute) =>
    each.kind === 'texts' ? tensor('string', [each.value.length], each.value) : undefined,
} as const;

/** Constant in every dense form; sparse values stay where they are. */
const constant: Evaluator = ({ node }) => {
  for (const [name, read] of Object.entries(constantForms)) {
    const attribute = node.attributes.get(name);
    const value = attribute && read(attribute);
    if (value) return [value];
  }
  return undefined;
};

const constantOfShape: Evaluator = (call) => {
  const shape = wholeNumbersOf(call.inputs[0]);
  const value: Tensor = tensorOf(call.node, 'value', undefined) ?? floats([0]);
  if (!shape || value.data.length !== 1 || !isMovable(value.dtype) || !fits(call, value.dtype, shape)) return undefined;
  const data = allocate(value.dtype, sizeOf(shape));
  (data as unknown as number[]).fill(value.data[0] as number); // the element kind of the same dtype
  return [tensor(value.dtype, shape, data)];
};

/** Range: start, start + delta, ... below limit; max(ceil((limit - start) / delta), 0) elements. */
const range: Evaluator = (call) => {
  const [start, limit, delta] = call.inputs.map((each) => {
    const numbers = each && (bigintsOf(each) ? wholeNumbersOf(each) : numbersOf(each));
    return numbers?.length === 1 ? numbers[0]! : Number.NaN;
  });
  const count = Math.max(Math.ceil((limit! - start!) / delta!), 0);
  const dtype = call.inputs[0]?.dtype;
  if (!dtype || !Number.isSafeInteger(count) || !fits(call, dtype, [count])) return undefined;
  const values = Float64Array.from({ length: count }, (_, i) => start! + i * delta!);
  return [fromNumbers(dtype, [count], values)];
};

const eyeLike: Evaluator = (call) => {
  const [x] = call.inputs;
  const dtype = castTarget(call.node, 'dtype') ?? x?.dtype;
  if (x?.shape.length !== 2 || !dtype || !isMovable(dtype) || dtype === 'string') return undefined;
  if (!fits(call, dtype, x.shape)) return undefined;
  const k = intOf(call.node, 'k', 0);
  const [rows, columns] = x.shape as readonly [number, number]; // rank 2, as just checked
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) if (row + k >= 0 && row + k < columns) values[row * columns + row + k] = 1;
  return [fromNumbers(dtype, x.shape, values)];
};

/** OneHot: a new axis of `depth`; indices from -depth to depth-1 count, others leave the row off. */
const oneHot: Evaluator = (call) => {
  const [indices, depths, values] = call.inputs;
  const depth = depths && (bigintsOf(depths) ? wholeNumbersOf(depths) : numbersOf(depths))?.[0];
  const at = indices && (bigintsOf(indices) ? wholeNumbersOf(indices) : numbersOf(indices));
  if (!indices || !at || !values || depth === undefined || !(depth > 0) || !isMovable(values.dtype)) return undefined;
  const axis = axisWithin(intOf(call.node, 'axis', -1), indices.shape.length + 1);
  if (axis === undefined) return undefined;
  const shape = indices.shape.toSpliced(axis, 0, Math.trunc(depth));
  if (!fits(call, values.dtype, shape)) return undefined;
  const inner = sizeOf(indices.shape.slice(axis));
  const picks = new Uint8Array(sizeOf(shape));
  for (let i = 0; i < at.length; i++) {
    const hot = at[i]! < 0 ? at[i]! + depth : at[i]!;
    if (hot >= 0 && hot < depth) picks[(Math.floor(i / inner) * depth + hot) * inner + (i % inner)] = 1;
  }
  return [take(values, picks, shape)];
};

/** CumSum along an axis, exclusive or from the end where asked. */
const cumSum: Evaluator = (call) => {
  const [x, axes] = call.inputs;
  const axis = x && axisWithin(wholeNumbersOf(axes)?.[0] ?? Number.NaN, x.shape.length);
  if (!x || axis === undefined || !fits(call, x.dtype, x.shape)) return undefined;
  const from = (bigintsOf(x) ?? numbersOf(x)) as readonly number[] | undefined; // bigints and numbers add alike
  if (!from) return undefined;
  const { values, finish } = resultsOf(x.dtype, x.shape);
  const dim = x.shape[axis]!;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const exclusive = intOf(call.node, 'exclusive', 0) === 1;
  const reverse = intOf(call.node, 'reverse', 0) === 1;
  const zero = (bigintsOf(x) ? 0n : 0) as number;
  for (let line = 0; line < from.length / dim; line++) {
    const base = Math.floor(line / inner) * dim * inner + (line % inner);
    let sum = zero;
    for (let i = 0; i < dim; i++) {
      const at = base + (reverse ? dim - 1 - i : i) * inner;
      if (exclusive) values[at] = sum;
      sum += from[at]!;
      if (!exclusive) values[at] = sum;
    }
  }
  return [finish()];
};

/** Shape of a constant, `start` and `end` included (opset 15). */
const shape: Evaluator = ({ node, inputs: [x] }) => {
  if (!x) return undefined;
  return [longs(shapeRange(x.shape, intOf(node, 'start', 0), intOf(node, 'end', x.shape.length)))];
};

/** The dimensions from start to end, negative counts from the end, clamped to the rank (Shape-15). */
export function shapeRange<T>(shape: readonly T[], start: number, end: number): readonly T[] {
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  return shape.slice(clamp(start), clamp(end));
}

/** Ops that make tensors. */
export const createEvaluators = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: eyeLike,
  OneHot: oneHot,
  CumSum: cumSum,
  Shape: shape,
  Size: ({ inputs: [x] }) => x && [longs([sizeOf(x.shape)], [])],
} satisfies Record<string, Evaluator>;
