import { int, intOf, ints, intsOf, text, textOf } from '@espalier/core';
import type { Derivative } from '../derivative.js';
import { unsupportedForm } from '../errors.js';
import { frontAxis, sizeAlong } from './axis.js';

const asInput: Derivative = (c) => [c.emit('Reshape', [c.gradient(0), c.shapeOf(c.input(0))])];

const transpose: Derivative = (c) => {
  const rank = c.shape(c.input(0)).length;
  const perm = intsOf(
    c.node,
    'perm',
    Array.from({ length: rank }, (_, i) => rank - 1 - i),
  );
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return [c.emit('Transpose', [c.gradient(0)], { perm: ints(inverse) })];
};

const concat: Derivative = (c) => {
  const rank = c.shape(c.output(0)).length;
  const axis = frontAxis(intOf(c.node, 'axis', 0), rank);
  const sizes = c.node.inputs.map((_, slot) => sizeAlong(c, c.input(slot), axis));
  if (sizes.length === 1) return [c.gradient(0)];
  return c.emitAll('Split', [c.gradient(0), c.longs(sizes)], {
    outputs: sizes.length,
    attributes: { axis: int(axis) },
  });
};

/** Parts that the loss does not depend on count as zeros. */
const split: Derivative = (c) => {
  const axis = frontAxis(intOf(c.node, 'axis', 0), c.shape(c.input(0)).length);
  const parts = c.node.outputs.flatMap((output, slot) => {
    if (output === undefined) throw unsupportedForm(c.node, 'every output named', 'one left out');
    return [c.gradient(slot) ?? c.zerosLike(output)];
  });
  return [c.emit('Concat', parts, { axis: int(axis) })];
};

const expand: Derivative = (c) => [c.unbroadcast(c.gradient(0)!, c.input(0))];

/** Copies are summed: dy as [r0, d0, r1, d1, ...], summed over the r. */
const tile: Derivative = (c) => {
  const repeats = c.numbers(c.node.inputs[1]);
  if (!repeats) throw unsupportedForm(c.node, 'constant repeats', 'repeats computed at run time');
  const shape = c.shape(c.input(0));
  const inner = repeats.flatMap((repeat, i) => [
    repeat,
    repeat === 1 && typeof shape[i] === 'string' ? -1 : sizeAlong(c, c.input(0), i),
  ]);
  const axes = repeats.map((_, i) => 2 * i);
  return [
    c.emit('ReduceSum', [c.emit('Reshape', [c.gradient(0), c.longs(inner)]), c.longs(axes)], { keepdims: int(0) }),
  ];
};

const depthToSpace: Derivative = (c) => {
  const block = intOf(c.node, 'blocksize', 1);
  if (textOf(c.node, 'mode', 'DCR') === 'DCR')
    return [c.emit('SpaceToDepth', [c.gradient(0)], { blocksize: int(block) })];
  // CRD: channels are [c, b, b]; SpaceToDepth writes [b, b, c], so the blocks move behind the channels.
  const [, channels, height, width] = c
    .shape(c.input(0))
    .map((_, axis) => (axis === 0 ? -1 : sizeAlong(c, c.input(0), axis)));
  const deep = c.emit('SpaceToDepth', [c.gradient(0)], { blocksize: int(block) });
  const apart = c.emit('Reshape', [deep, c.longs([-1, block * block, channels! / (block * block), height!, width!])]);
  const turned = c.emit('Transpose', [apart], { perm: ints([0, 2, 1, 3, 4]) });
  return [c.emit('Reshape', [turned, c.longs([-1, channels!, height!, width!])])];
};

const spaceToDepth: Derivative = (c) => [
  c.emit('DepthToSpace', [c.gradient(0)], { blocksize: int(intOf(c.node, 'blocksize', 1)), mode: text('DCR') }),
];

const trilu: Derivative = (c) => [
  c.emit('Trilu', [c.gradient(0), c.node.inputs[1]], { upper: int(intOf(c.node, 'upper', 1)) }),
];

/** Ops that move elements without computing on them. */
export const movement = {
  Reshape: asInput,
  Flatten: asInput,
  Squeeze: asInput,
  Unsqueeze: asInput,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
} satisfies Readonly<Record<string, Derivative>>;
