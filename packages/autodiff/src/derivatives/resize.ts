import { int, textOf } from '@espalier/core';
import type { Derivative } from '../derivative.js';
import { unsupportedForm } from '../errors.js';
import { spatial } from './conv.js';

/** Nearest-neighbour upsampling by whole factors: each input element gets the sum of its copies. */
const resize: Derivative = (c) => {
  const mode = textOf(c.node, 'mode', 'nearest');
  const [from, to] = [spatial(c, c.input(0)), spatial(c, c.output(0))];
  const factors = to.map((size, i) => size / from[i]!);
  if (mode !== 'nearest' || !factors.every(Number.isInteger)) {
    throw unsupportedForm(
      c.node,
      'nearest-neighbour upsampling by whole factors',
      `mode ${mode}, ${from.join('x')} to ${to.join('x')}`,
    );
  }
  const channels = c.shape(c.input(0))[1]!;
  if (typeof channels !== 'number') throw unsupportedForm(c.node, 'a known number of channels', `"${channels}"`);
  const apart = c.emit('Reshape', [
    c.gradient(0),
    c.longs([-1, channels, ...from.flatMap((size, i) => [size, factors[i]!])]),
  ]);
  const axes = from.map((_, i) => 3 + 2 * i);
  return [c.emit('ReduceSum', [apart, c.longs(axes)], { keepdims: int(0) })];
};

/** Changes of size. */
export const resizing = { Resize: resize } satisfies Readonly<Record<string, Derivative>>;
