import { intOf, intsOf, longs, type Node, sizeOf, type Tensor } from '@espalier/core';
import { type Array64, read, written, zeros64 } from './array64.js';
import { placesOf, tapsOf } from './taps.js';

type Inputs = readonly (Tensor | undefined)[];

/** Position in x of the first maximum of each window. */
function winners(node: Node, x: Array64): { readonly shape: readonly number[]; readonly at: readonly number[] } {
  const kernel = intsOf(node, 'kernel_shape', []);
  const input = x.shape.slice(2);
  const output = placesOf(node, kernel, input);
  const taps = tapsOf(node, { kernel, input, output });
  const shape = [...x.shape.slice(0, 2), ...output];
  const at = new Array<number>(sizeOf(shape)).fill(-1);
  for (let image = 0; image < x.shape[0]! * x.shape[1]!; image++) {
    for (const { o, i } of taps) {
      const [place, from] = [image * sizeOf(output) + o, image * sizeOf(input) + i];
      if (at[place] === -1 || x.data[from]! > x.data[at[place]!]!) at[place] = from;
    }
  }
  return { shape, at };
}

/** MaxPool, with indices. */
export function maxPool(node: Node, inputs: Inputs): readonly Tensor[] {
  const x = read(inputs[0]);
  const { shape, at } = winners(node, x);
  return [written({ shape, data: Float64Array.from(at, (i) => x.data[i]!) }), longs(at, shape)];
}

/** espalier::MaxPoolGradient. */
export function maxPoolGradient(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, dy] = [read(inputs[0]), read(inputs[2])];
  const dx = zeros64(x.shape);
  for (const [o, i] of winners(node, x).at.entries()) dx.data[i]! += dy.data[o]!;
  return [written(dx)];
}

/** AveragePool; in ceil mode only without pads. */
export function averagePool(node: Node, inputs: Inputs): readonly Tensor[] {
  const x = read(inputs[0]);
  const kernel = intsOf(node, 'kernel_shape', []);
  const input = x.shape.slice(2);
  const output = placesOf(node, kernel, input);
  const taps = tapsOf(node, { kernel, input, output });
  const y = zeros64([...x.shape.slice(0, 2), ...output]);
  const count = new Float64Array(sizeOf(output));
  for (const { o } of taps) count[o]! += 1;
  if (intOf(node, 'count_include_pad', 0) === 1) count.fill(sizeOf(kernel));
  for (let image = 0; image < x.shape[0]! * x.shape[1]!; image++) {
    for (const { o, i } of taps) y.data[image * sizeOf(output) + o]! += x.data[image * sizeOf(input) + i]! / count[o]!;
  }
  return [written(y)];
}

/** GlobalAveragePool, GlobalMaxPool. */
export const globalPool =
  (pick: (values: Float64Array) => number) =>
  (_: Node, inputs: Inputs): readonly Tensor[] => {
    const x = read(inputs[0]);
    const inner = sizeOf(x.shape.slice(2));
    const y = zeros64(x.shape.map((size, axis) => (axis < 2 ? size : 1)));
    for (let i = 0; i < y.data.length; i++) y.data[i] = pick(x.data.subarray(i * inner, (i + 1) * inner));
    return [written(y)];
  };
