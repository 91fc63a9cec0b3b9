import { intOf, textOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { need } from '../operands.js';
import type { Value } from '../value.js';
import { viewed } from './views.js';

/** Axes of a view, in the order of the output, grouped into output axes. */
function rearranged(
  c: Call,
  x: Value,
  groups: readonly (readonly (readonly [size: number, stride: number])[])[],
): Value {
  const flat = groups.flat();
  const out = viewed(c, x, { shape: flat.map(([size]) => size), strides: flat.map(([, stride]) => stride) });
  return { ...out, shape: groups.map((group) => group.reduce((product, [size]) => product * size, 1)) };
}

const depthToSpace: Kernel = (c) => {
  const x = need(c, 0);
  const [n, channels, h, w] = x.shape as [number, number, number, number]; // images
  const b = intOf(c.node, 'blocksize', 1);
  const deep = channels / (b * b);
  const plane = h * w;
  const first = textOf(c.node, 'mode', 'DCR') === 'DCR';
  const [block, depth] = first ? [deep * plane, plane] : [plane, b * b * plane];
  return [
    rearranged(c, x, [
      [[n, channels * plane]],
      [[deep, depth]],
      [
        [h, w],
        [b, b * block],
      ],
      [
        [w, 1],
        [b, block],
      ],
    ]),
  ];
};

const spaceToDepth: Kernel = (c) => {
  const x = need(c, 0);
  const [n, channels, h, w] = x.shape as [number, number, number, number]; // images
  const b = intOf(c.node, 'blocksize', 1);
  const pixels = [
    [b, w],
    [b, 1],
  ] as const;
  const depth = [channels, h * w] as const;
  return [
    rearranged(c, x, [
      [[n, channels * h * w]],
      textOf(c.node, 'mode', 'DCR') === 'DCR' ? [...pixels, depth] : [depth, ...pixels],
      [[h / b, b * w]],
      [[w / b, b]],
    ]),
  ];
};

/** Exchange of blocks of pixels and channels. */
export const blockKernels = { DepthToSpace: depthToSpace, SpaceToDepth: spaceToDepth } as const satisfies Record<
  string,
  Kernel
>;
