import { intOf, intsOf, type Node, sizeOf, type Tensor } from '@espalier/core';
import { type Array64, read, written, zeros64 } from './array64.js';
import { placesOf, type Tap, tapsOf } from './taps.js';

type Inputs = readonly (Tensor | undefined)[];

/** One array for each operand of a convolution. */
interface Operands<T> {
  readonly x: T;
  readonly w: T;
  readonly y: T;
}

/** Adds the products of one image, channel and filter, which begin at `at` and meet where `taps` say, to one operand. */
type Products = (of: Operands<Float64Array>, taps: Operands<Int32Array>, at: Operands<number>) => void;

const intoY: Products = ({ x, w, y }, taps, at) => {
  const [tx, tw, ty] = [taps.x, taps.w, taps.y];
  for (let t = 0; t < ty.length; t++) y[at.y + ty[t]!]! += x[at.x + tx[t]!]! * w[at.w + tw[t]!]!;
};
const intoX: Products = ({ x, w, y }, taps, at) => {
  const [tx, tw, ty] = [taps.x, taps.w, taps.y];
  for (let t = 0; t < ty.length; t++) x[at.x + tx[t]!]! += y[at.y + ty[t]!]! * w[at.w + tw[t]!]!;
};
const intoW: Products = ({ x, w, y }, taps, at) => {
  const [tx, tw, ty] = [taps.x, taps.w, taps.y];
  for (let t = 0; t < ty.length; t++) w[at.w + tw[t]!]! += x[at.x + tx[t]!]! * y[at.y + ty[t]!]!;
};

/** Goes through every image, channel and filter of a grouped convolution. */
function eachPair(
  node: Node,
  sizes: {
    n: number;
    channels: number;
    filters: number;
    kernel: readonly number[];
    input: readonly number[];
    output: readonly number[];
  },
  operands: Operands<Float64Array>,
  add: Products,
): void {
  const { n, channels, filters, kernel, input, output } = sizes;
  const group = intOf(node, 'group', 1);
  const found: readonly Tap[] = tapsOf(node, { kernel, input, output });
  const flat = (of: (tap: Tap) => number) => Int32Array.from(found, of);
  const taps = { x: flat(({ i }) => i), w: flat(({ k }) => k), y: flat(({ o }) => o) };
  const [inner, area, size, places] = [channels / group, sizeOf(kernel), sizeOf(input), sizeOf(output)];
  for (let b = 0; b < n; b++) {
    for (let k = 0; k < filters; k++) {
      const g = Math.floor(k / (filters / group));
      for (let c = 0; c < inner; c++) {
        const x = (b * channels + g * inner + c) * size;
        add(operands, taps, { x, w: (k * inner + c) * area, y: (b * filters + k) * places });
      }
    }
  }
}

/** Conv. */
export function conv(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, w] = [read(inputs[0]), read(inputs[1])];
  const [kernel, input] = [w.shape.slice(2), x.shape.slice(2)];
  const output = placesOf(node, kernel, input);
  const y = zeros64([x.shape[0]!, w.shape[0]!, ...output]);
  const sizes = { n: x.shape[0]!, channels: x.shape[1]!, filters: w.shape[0]!, kernel, input, output };
  eachPair(node, sizes, { y: y.data, x: x.data, w: w.data }, intoY);
  return [written(withBias(y, inputs[2]))];
}

/** ConvTranspose with explicit pads: the input gradient of a Conv, w being [C in, C out/group, ...]. */
export function convTranspose(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, w] = [read(inputs[0]), read(inputs[1])];
  const [kernel, output] = [w.shape.slice(2), x.shape.slice(2)];
  const axes = kernel.map((_, axis) => axis);
  const list = (name: string, fallback: number, count = axes.length) =>
    intsOf(node, name, new Array<number>(count).fill(fallback));
  const pads = list('pads', 0, 2 * axes.length);
  const input = axes.map(
    (a) =>
      (output[a]! - 1) * list('strides', 1)[a]! +
      (kernel[a]! - 1) * list('dilations', 1)[a]! +
      1 +
      list('output_padding', 0)[a]! -
      pads[a]! -
      pads[a + axes.length]!,
  );
  return [written(withBias(inputGradient(node, { dy: x, w, input }), inputs[2]))];
}

function inputGradient(node: Node, of: { dy: Array64; w: Array64; input: readonly number[] }): Array64 {
  const { dy, w, input } = of;
  const [n, filters] = dy.shape as [number, number];
  const channels = w.shape[1]! * intOf(node, 'group', 1);
  const dx = zeros64([n, channels, ...input]);
  const sizes = { n, channels, filters, kernel: w.shape.slice(2), input, output: dy.shape.slice(2) };
  eachPair(node, sizes, { y: dy.data, x: dx.data, w: w.data }, intoX);
  return dx;
}

/** espalier::ConvInputGradient. */
export const convInputGradient = (node: Node, inputs: Inputs): readonly Tensor[] => [
  written(inputGradient(node, { dy: read(inputs[0]), w: read(inputs[1]), input: intsOf(node, 'input_shape', []) })),
];

/** espalier::ConvWeightGradient. */
export function convWeightGradient(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, dy] = [read(inputs[0]), read(inputs[1])];
  const kernel = intsOf(node, 'kernel_shape', []);
  const [n, channels] = x.shape as [number, number];
  const filters = dy.shape[1]!;
  const dw = zeros64([filters, channels / intOf(node, 'group', 1), ...kernel]);
  const sizes = { n, channels, filters, kernel, input: x.shape.slice(2), output: dy.shape.slice(2) };
  eachPair(node, sizes, { y: dy.data, x: x.data, w: dw.data }, intoW);
  return [written(dw)];
}

function withBias(y: Array64, bias: Tensor | undefined): Array64 {
  if (!bias) return y;
  const { data } = read(bias);
  const inner = sizeOf(y.shape.slice(2));
  return { shape: y.shape, data: y.data.map((each, i) => each + data[Math.floor(i / inner) % data.length]!) };
}
