import { intOf, longs, sizeOf } from '@espalier/core';
import type { Kernel } from '../kernel.js';
import { need } from '../operands.js';

const shape: Kernel = (c) => {
  const dims = need(c, 0).shape;
  const rank = dims.length;
  const front = (at: number) => Math.min(Math.max(at < 0 ? at + rank : at, 0), rank);
  const part = dims.slice(front(intOf(c.node, 'start', 0)), front(intOf(c.node, 'end', rank)));
  return [{ dtype: 'int64', shape: [part.length], host: longs(part) }];
};

const size: Kernel = (c) => [{ dtype: 'int64', shape: [], host: longs([sizeOf(need(c, 0).shape)], []) }];

/** Ops that only look at shapes; they never touch elements. */
export const shapeKernels = { Shape: shape, Size: size } as const satisfies Record<string, Kernel>;
