import { intsOf, sizeOf, textOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { axisOf, isReal, listed, need, numbersAt } from '../operands.js';
import { copyView } from '../strided.js';
import { blockOf, deviceValue, layoutOf, stridesIn, type Value } from '../value.js';
import { picked, sharedValue } from './views.js';

/** The bit pattern of one element, as the memory of a value of that type holds it. */
function bitsOf(value: Value, number: number): number {
  if (!isReal(value)) return Math.trunc(number) | 0;
  return new Int32Array(Float32Array.of(number).buffer)[0]!; // one element
}

/** Constant borders; negative pads cut. The other modes are a reordering that the host does. */
const pad: Kernel = (c) => {
  const x = need(c, 0);
  const rank = x.shape.length;
  const pads = listed(c, 1, 'pads') ?? intsOf(c.node, 'paddings', []);
  if (textOf(c.node, 'mode', 'constant') !== 'constant') return mirrored(c, x, pads);
  const axes = numbersAt(c, 3)?.map((axis) => axisOf(c, axis, rank)) ?? x.shape.map((_, i) => i);
  const fillValue = numbersAt(c, 2)?.[0] ?? (c.node.attributes.has('value') ? attributeValue(c) : 0);
  const begin = x.shape.map((_, axis) => pads[axes.indexOf(axis)] ?? 0);
  const end = x.shape.map((_, axis) => (axes.includes(axis) ? pads[axes.length + axes.indexOf(axis)]! : 0));
  const shape = x.shape.map((dim, axis) => Math.max(0, dim + begin[axis]! + end[axis]!));
  const layout = layoutOf(x);
  const [own, strides] = [stridesIn(x.shape, layout), stridesIn(shape, layout)];
  const out = c.heap.allocate(sizeOf(shape));
  c.heap.kernels.fill(out.pointer, out.count, bitsOf(x, fillValue));
  const inner = x.shape.map((dim, axis) => Math.max(0, dim + Math.min(0, begin[axis]!) + Math.min(0, end[axis]!)));
  const offset = (list: readonly number[], at: (axis: number) => number) =>
    4 * list.reduce((sum, stride, axis) => sum + stride * at(axis), 0);
  copyView(c.heap, {
    shape: inner,
    source: {
      pointer: blockOf(c.heap, x, layout).pointer + offset(own, (axis) => Math.max(0, -begin[axis]!)),
      strides: own,
    },
    target: { pointer: out.pointer + offset(strides, (axis) => Math.max(0, begin[axis]!)), strides },
  });
  return [deviceValue(x.dtype, shape, out, layout)];
};

const attributeValue = (c: Call): number => {
  const value = c.node.attributes.get('value');
  return value?.kind === 'float' ? value.value : 0;
};

/** `reflect`, `edge` and `wrap`: along each axis, every output position reads one input position. */
function mirrored(c: Call, x: Value, pads: readonly number[]): readonly Value[] | undefined {
  const mode = textOf(c.node, 'mode', 'constant');
  const rank = x.shape.length;
  const axes = numbersAt(c, 3)?.map((axis) => axisOf(c, axis, rank)) ?? x.shape.map((_, i) => i);
  const source = (at: number, size: number): number => {
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1);
    if (mode === 'wrap') return ((at % size) + size) % size;
    const period = Math.max(1, 2 * (size - 1));
    const folded = ((at % period) + period) % period;
    return folded < size ? folded : period - folded;
  };
  let value = x;
  axes.forEach((axis, i) => {
    const [begin, end] = [pads[i]!, pads[axes.length + i]!];
    if (begin === 0 && end === 0) return;
    const size = value.shape[axis]!;
    const index = Array.from({ length: size + begin + end }, (_, at) => source(at - begin, size));
    const next = picked(c, value, { axis, index });
    if (value !== x && value.plain) c.heap.release(value.plain);
    value = next;
  });
  return [value === x ? sharedValue(c, x, x.shape) : value];
}

/** Borders around arrays. */
export const padKernels = { Pad: pad } as const satisfies Record<string, Kernel>;
