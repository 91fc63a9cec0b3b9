import { intOf, isFloat, sizeOf, tensor, toNumbers } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Call, Kernel } from '../kernel.js';
import { axisOrder, exchanges, fittingShape, newShapes } from '../new-shapes.js';
import { axisOf, listed, need, numbersAt, onHost, refuse } from '../operands.js';
import { copyView, rowMajor } from '../strided.js';
import {
  blockOf,
  deviceValue,
  hostOf,
  hostValue,
  type Layout,
  layoutOf,
  reshapedValue,
  stridesIn,
  type Value,
} from '../value.js';
import { broadcast, commonLayout } from './binary.js';
import { picked, sharedValue, viewed } from './views.js';

const identity: Kernel = (c) => [sharedValue(c, need(c, 0), need(c, 0).shape)];

const shaped =
  (op: keyof typeof newShapes): Kernel =>
  (c) => {
    const x = need(c, 0);
    const site = { node: c.node, shape: x.shape, listed: (slot: number, name: string) => listed(c, slot, name) };
    return [reshapedValue(c.heap, x, fittingShape(site, newShapes[op](site)))];
  };

/** Between channels first and channels last nothing moves: the layouts exchange their names. */
const transpose: Kernel = (c) => {
  const x = need(c, 0);
  const perm = axisOrder(c.node, x.shape.length);
  const shape = perm.map((axis) => x.shape[axis]!);
  const [renamed, own]: readonly [Layout, Layout] | readonly [undefined, undefined] =
    x.last && exchanges(perm, 'last')
      ? ['plain', 'last']
      : (x.plain || !x.last) && exchanges(perm, 'plain')
        ? ['last', 'plain']
        : [undefined, undefined];
  if (renamed) {
    const block = blockOf(c.heap, x, own);
    block.holders++;
    return [deviceValue(x.dtype, shape, block, renamed)];
  }
  const own2 = layoutOf(x);
  const strides = stridesIn(x.shape, own2);
  const out = c.heap.allocate(sizeOf(shape));
  copyView(c.heap, {
    shape,
    source: { pointer: blockOf(c.heap, x, own2).pointer, strides: perm.map((axis) => strides[axis]!) },
    target: { pointer: out.pointer, strides: rowMajor(shape) },
  });
  return [deviceValue(x.dtype, shape, out)];
};

/** Values one behind the other along an axis. */
function concatenated(c: Call, parts: readonly Value[], axis: number): Value {
  const rank = parts[0]!.shape.length; // one part at least
  const total = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const shape = parts[0]!.shape.with(axis, total);
  for (const part of parts) {
    if (part.shape.length !== rank || part.shape.some((dim, i) => i !== axis && dim !== shape[i]))
      throw wrongShapes(c.node, `shapes like [${shape.join(',')}] but for axis ${axis}`, `[${part.shape.join(',')}]`);
  }
  const layout = commonLayout(parts, rank);
  const strides = stridesIn(shape, layout);
  const out = c.heap.allocate(sizeOf(shape));
  let from = 0;
  for (const part of parts) {
    const own = sizeOf(part.shape) > 1024 ? layout : layoutOf(part);
    copyView(c.heap, {
      shape: part.shape,
      source: { pointer: blockOf(c.heap, part, own).pointer, strides: stridesIn(part.shape, own) },
      target: { pointer: out.pointer + 4 * from * strides[axis]!, strides },
    });
    from += part.shape[axis]!;
  }
  return deviceValue(parts[0]!.dtype, shape, out, layout);
}

const concat: Kernel = (c) => {
  const parts = c.inputs.map((_, slot) => need(c, slot));
  const rank = need(c, 0).shape.length;
  return [concatenated(c, parts, axisOf(c, intOf(c.node, 'axis', 0), rank))];
};

const gather: Kernel = (c) => {
  const [x, index] = [need(c, 0), need(c, 1)];
  const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
  return [picked(c, x, { axis, index: toNumbers(hostOf(c.heap, index)), indexShape: index.shape })];
};

const expand: Kernel = (c) => {
  const x = need(c, 0);
  const shape = broadcast(c, x.shape, numbersAt(c, 1) ?? refuse(c, 'no shape'));
  return [expanded(c, x, shape)];
};

/** A value repeated to a shape it broadcasts to. */
export function expanded(c: Call, x: Value, shape: readonly number[]): Value {
  const lead = shape.length - x.shape.length;
  const layout = lead === 0 ? layoutOf(x) : 'plain';
  const own = stridesIn(x.shape, layout);
  const strides = shape.map((_, axis) => (axis < lead || x.shape[axis - lead] === 1 ? 0 : own[axis - lead]!));
  return viewed(c, x, { shape, strides, layout });
}

/** Repeats each axis: [a, b] by [2, 3] is [2, a, 3, b] with strides 0 at the repeats. */
const tile: Kernel = (c) => {
  const x = need(c, 0);
  const repeats = numbersAt(c, 1) ?? refuse(c, 'no repeats');
  const strides = rowMajor(x.shape);
  const out = viewed(c, x, {
    shape: x.shape.flatMap((dim, axis) => [repeats[axis]!, dim]),
    strides: strides.flatMap((stride) => [0, stride]),
  });
  return [{ ...out, shape: x.shape.map((dim, axis) => dim * repeats[axis]!) }];
};

/** Keeps the upper (or lower) triangle of the last two axes. */
const trilu: Kernel = (c) => {
  const x = need(c, 0);
  const [rows, columns] = [x.shape.at(-2) ?? 1, x.shape.at(-1) ?? 1];
  const k = numbersAt(c, 1)?.[0] ?? 0;
  const upper = intOf(c.node, 'upper', 1) === 1;
  const out = viewed(c, x, { shape: x.shape, strides: rowMajor(x.shape) });
  const words = c.heap.integers(out.plain!); // just made
  const kept = isFloat(x.dtype) || !x.dtype.startsWith('bool');
  if (!kept) return undefined;
  for (let matrix = 0; matrix < words.length; matrix += rows * columns) {
    for (let row = 0; row < rows; row++) {
      const line = matrix + row * columns;
      const border = Math.min(columns, Math.max(0, row + k + (upper ? 0 : 1)));
      if (upper) words.fill(0, line, line + border);
      else words.fill(0, line + border, line + columns);
    }
  }
  return [out];
};

/** Without training, or with nothing to drop, the data itself and a mask of ones. */
const dropout: Kernel = (c) => {
  if (numbersAt(c, 2)?.[0] && (numbersAt(c, 1)?.[0] ?? 0.5) !== 0) return undefined;
  const { shape } = need(c, 0);
  if (c.node.outputs[1] === undefined) return identity(c);
  const mask = tensor('bool', shape, new Uint8Array(sizeOf(shape)).fill(1));
  return [...identity(c)!, hostValue(mask, c.node.id)]; // identity computes every form
};

/** Ops that move elements without computing. */
export const movementKernels = {
  Identity: identity,
  Dropout: dropout,
  Reshape: shaped('Reshape'),
  Flatten: shaped('Flatten'),
  Squeeze: shaped('Squeeze'),
  Unsqueeze: shaped('Unsqueeze'),
  Transpose: transpose,
  Concat: concat,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Trilu: trilu,
  Constant: onHost,
  ConstantOfShape: onHost,
  Range: onHost,
  EyeLike: onHost,
  NonZero: onHost,
  OneHot: onHost,
} as const satisfies Record<string, Kernel>;
