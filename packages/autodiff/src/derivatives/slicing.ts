import { int, text, textOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';
import { frontAxis, sizeAlong } from './axis.js';
import { scatterAlong } from './gather.js';

/** dx is dy with zeros where the slice did not reach; steps other than 1 spread dy first. */
const slice: Derivative = (c) => {
  const shape = c.shape(c.input(0));
  const rank = shape.length;
  const [starts, ends] = [c.numbers(c.node.inputs[1]), c.numbers(c.node.inputs[2])];
  if (!starts || !ends) throw unsupportedForm(c.node, 'constant starts and ends', 'values computed at run time');
  const axes = (c.numbers(c.node.inputs[3]) ?? starts.map((_, i) => i)).map((axis) => frontAxis(axis, rank));
  const steps = c.numbers(c.node.inputs[4]) ?? starts.map(() => 1);
  let gradient = c.gradient(0)!;
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    const step = steps[i]!;
    if (step === 1 && starts[i] === 0 && ends[i]! >= 2 ** 31) continue;
    const length = sizeAlong(c, c.input(0), axis);
    const from = clampStart(starts[i]!, length, step);
    const count = sizeAlong(c, c.output(0), axis);
    if (step !== 1) {
      // Every other place and direction: dx = dy gathered by the inverse of the index, zeros elsewhere.
      gradient = spreadAlong(c, gradient, {
        axis,
        indices: Array.from({ length: count }, (_, k) => from + k * step),
        length,
      });
      continue;
    }
    begin[axis] = from;
    end[axis] = length - from - count;
  }
  if (begin.every((each) => each === 0) && end.every((each) => each === 0)) return [gradient];
  return [c.emit('Pad', [gradient, c.longs([...begin, ...end])], { mode: text('constant') })];
};

function clampStart(start: number, length: number, step: number): number {
  const from = start < 0 ? start + length : start;
  return step > 0 ? Math.min(Math.max(from, 0), length) : Math.min(Math.max(from, -1), length - 1);
}

/** Puts slice k of a value at place indices[k] of an axis of `length`, zeros elsewhere: a Gather of the value with one slice of zeros appended. */
function spreadAlong(
  c: DerivativeContext,
  value: ValueId,
  { axis, indices, length }: { readonly axis: number; readonly indices: readonly number[]; readonly length: number },
): ValueId {
  const place = new Map(indices.map((at, k) => [at, k]));
  const order = Array.from({ length }, (_, at) => place.get(at) ?? indices.length);
  const rank = c.shape(c.input(0)).length;
  const padded = c.emit(
    'Pad',
    [
      value,
      c.longs([...new Array<number>(rank).fill(0), ...Array.from({ length: rank }, (_, i) => Number(i === axis))]),
    ],
    { mode: text('constant') },
  );
  return c.emit('Gather', [padded, c.longs(order)], { axis: int(axis) });
}

/** The inner part of dy; negative pads were cuts and give zeros back. Other modes than constant copy elements. */
const pad: Derivative = (c) => {
  const mode = textOf(c.node, 'mode', 'constant');
  const pads = c.numbers(c.node.inputs[1]);
  if (!pads) throw unsupportedForm(c.node, 'constant pads', 'pads computed at run time');
  const rank = c.shape(c.input(0)).length;
  const axes = (c.numbers(c.node.inputs[3]) ?? Array.from({ length: rank }, (_, i) => i)).map((axis) =>
    frontAxis(axis, rank),
  );
  if (mode !== 'constant') return [copiesBack(c, { mode, axes, pads })];
  const full = new Array<number>(rank * 2).fill(0);
  axes.forEach((axis, i) => {
    full[axis] = -pads[i]!;
    full[axis + rank] = -pads[i + axes.length]!;
  });
  return [c.emit('Pad', [c.gradient(0), c.longs(full)], { mode: text('constant') })];
};

/** Which element stands at a place outside of 0..length-1, by the mode of a Pad. */
const sources: Readonly<Record<string, (at: number, length: number) => number>> = {
  edge: (at, length) => Math.min(Math.max(at, 0), length - 1),
  reflect: (at, length) => (at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at),
  wrap: (at, length) => ((at % length) + length) % length,
};

/** Each axis in turn: the copies of an element are summed. */
function copiesBack(
  c: DerivativeContext,
  { mode, axes, pads }: { readonly mode: string; readonly axes: readonly number[]; readonly pads: readonly number[] },
): ValueId {
  const source = Object.hasOwn(sources, mode) ? sources[mode]! : undefined;
  if (!source) throw unsupportedForm(c.node, `a mode of constant, ${Object.keys(sources).join(', ')}`, `mode ${mode}`);
  let gradient = c.gradient(0)!;
  axes.forEach((axis, i) => {
    const [begin, end] = [pads[i]!, pads[i + axes.length]!];
    if (begin === 0 && end === 0) return;
    const length = sizeAlong(c, c.input(0), axis);
    const order = Array.from({ length: begin + length + end }, (_, k) => source(k - begin, length));
    const shape = c.emit('Shape', [gradient]);
    gradient = scatterAlong(c, gradient, {
      axis,
      indices: c.longs(order),
      indexRank: 1,
      shape: withSize(c, shape, { axis, length }),
    });
  });
  return gradient;
}

/** A shape with one size replaced. */
const withSize = (c: DerivativeContext, shape: ValueId, { axis, length }: { axis: number; length: number }): ValueId =>
  c.emit('ScatterElements', [shape, c.longs([axis]), c.longs([length])], {});

/** Slices and borders. */
export const slicing = { Slice: slice, Pad: pad } satisfies Readonly<Record<string, Derivative>>;
