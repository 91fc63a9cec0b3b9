import { intOf, intsOf, isFloat, sizeOf, textOf, toNumbers } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Call, Kernel } from '../kernel.js';
import { axisOf, isReal, listed, need, numbersAt, onHost, refuse } from '../operands.js';
import { copyView, rowMajor } from '../strided.js';
import { blockOf, deviceValue, hostOf, type Layout, layoutOf, reshapedValue, stridesIn, type Value } from '../value.js';
import { broadcast, commonLayout } from './binary.js';

/** A new value filled from a strided view of another one, in the layout that it has. */
export function viewed(
  c: Call,
  x: Value,
  {
    shape,
    strides,
    first = 0,
    layout = 'plain',
  }: {
    readonly shape: readonly number[];
    readonly strides: readonly number[];
    readonly first?: number;
    readonly layout?: Layout;
  },
): Value {
  const out = c.heap.allocate(sizeOf(shape));
  copyView(c.heap, {
    shape,
    source: { pointer: blockOf(c.heap, x, layout).pointer + 4 * first, strides },
    target: { pointer: out.pointer, strides: stridesIn(shape, layout) },
  });
  return deviceValue(x.dtype, shape, out, layout);
}

const identity: Kernel = (c) => [sharedValue(c, need(c, 0), need(c, 0).shape)];

/** The same elements in the same layout, shared. */
function sharedValue(c: Call, x: Value, shape: readonly number[]): Value {
  if (!x.plain && !x.last) return { dtype: x.dtype, shape, host: x.host && { ...x.host, shape } };
  const layout = layoutOf(x);
  const block = blockOf(c.heap, x, layout);
  block.holders++;
  return deviceValue(x.dtype, shape, block, layout);
}

/** The shape that Reshape asks for: 0 keeps a size (unless `allowzero`), -1 takes what is left. */
function targetShape(c: Call, x: Value): readonly number[] {
  const wanted = listed(c, 1, 'shape') ?? refuse(c, 'no shape');
  const keep = intOf(c.node, 'allowzero', 0) === 0;
  const shape = wanted.map((dim, axis) => (dim === 0 && keep ? (x.shape[axis] ?? 0) : dim));
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  const rest = shape.reduce((product, dim, axis) => (axis === open ? product : product * dim), 1);
  return shape.with(open, rest === 0 ? 0 : sizeOf(x.shape) / rest);
}

const shaped =
  (shapeOf: (c: Call, x: Value) => readonly number[]): Kernel =>
  (c) => {
    const x = need(c, 0);
    const shape = shapeOf(c, x);
    if (sizeOf(shape) !== sizeOf(x.shape) || !shape.every((dim) => Number.isInteger(dim) && dim >= 0))
      throw wrongShapes(c.node, `${sizeOf(x.shape)} elements, as in [${x.shape.join(',')}]`, `[${shape.join(',')}]`);
    return [reshapedValue(c.heap, x, shape)];
  };

const flattened = (c: Call, x: Value): readonly number[] => {
  const given = intOf(c.node, 'axis', 1);
  const axis = given < 0 ? given + x.shape.length : given;
  return [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
};

const squeezed = (c: Call, x: Value): readonly number[] => {
  const axes = listed(c, 1, 'axes')?.map((axis) => axisOf(c, axis, x.shape.length));
  return x.shape.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1));
};

const unsqueezed = (c: Call, x: Value): readonly number[] => {
  const given = listed(c, 1, 'axes') ?? [];
  const rank = x.shape.length + given.length;
  const axes = new Set(given.map((axis) => axisOf(c, axis, rank)));
  const rest = [...x.shape];
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
};

const isOrder = (a: readonly number[], b: readonly number[]) => a.every((axis, i) => axis === b[i]);

/** Between channels first and channels last nothing moves: the layouts exchange their names. */
const transpose: Kernel = (c) => {
  const x = need(c, 0);
  const rank = x.shape.length;
  const perm = intsOf(
    c.node,
    'perm',
    Array.from({ length: rank }, (_, i) => rank - 1 - i),
  ).map((axis) => axisOf(c, axis, rank));
  const shape = perm.map((axis) => x.shape[axis]!);
  const spatial = Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i + 2);
  const [renamed, own]: readonly [Layout, Layout] | readonly [undefined, undefined] =
    rank >= 3 && x.last && isOrder(perm, [0, ...spatial, 1])
      ? ['plain', 'last']
      : rank >= 3 && x.plain && isOrder(perm, [0, rank - 1, ...spatial.map((axis) => axis - 1)])
        ? ['last', 'plain']
        : [undefined, undefined];
  if (renamed) {
    const block = x[own]!;
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

const split: Kernel = (c) => {
  const x = need(c, 0);
  const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
  const size = x.shape[axis]!;
  const count = intOf(c.node, 'num_outputs', c.node.outputs.length);
  const each = Math.ceil(size / count);
  const sizes = listed(c, 1, 'split') ?? Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  if (sizes.some((part) => part < 0) || sizes.reduce((sum, part) => sum + part, 0) !== size)
    throw wrongShapes(c.node, `parts that add up to ${size}`, `${sizes.join(', ')}`);
  const layout = layoutOf(x);
  const strides = stridesIn(x.shape, layout);
  let from = 0;
  return sizes.map((part) => {
    const first = from * strides[axis]!;
    from += part;
    return viewed(c, x, { shape: x.shape.with(axis, part), strides, first, layout });
  });
};

/** Where a slice begins and how many elements it takes, by ONNX's clamping. */
function sliced(size: number, begin: number, end: number, step: number): { first: number; count: number } {
  const front = (at: number) => (at < 0 ? at + size : at);
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamp(front(begin), step > 0 ? 0 : 0, step > 0 ? size : size - 1);
  const stop = clamp(front(end), low, high);
  return { first, count: Math.max(0, Math.ceil((stop - first) / step)) };
}

const slice: Kernel = (c) => {
  const x = need(c, 0);
  const begins = listed(c, 1, 'starts') ?? refuse(c, 'no starts');
  const ends = listed(c, 2, 'ends') ?? refuse(c, 'no ends');
  const axes = listed(c, 3, 'axes') ?? begins.map((_, i) => i);
  const stepsOf = numbersAt(c, 4) ?? begins.map(() => 1);
  const layout = layoutOf(x);
  const own = stridesIn(x.shape, layout);
  const [shape, strides] = [[...x.shape], [...own]];
  let first = 0;
  axes.forEach((given, i) => {
    const axis = axisOf(c, given, x.shape.length);
    const step = stepsOf[i] ?? 1;
    if (step === 0) throw wrongShapes(c.node, 'steps other than 0', '0');
    const part = sliced(x.shape[axis]!, begins[i]!, ends[i] ?? 0, step);
    first += part.first * own[axis]!;
    shape[axis] = part.count;
    strides[axis] = own[axis]! * step;
  });
  return [viewed(c, x, { shape, strides, first, layout })];
};

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

/** Rows of a plain value picked along one axis by numbers known on the host. */
export function picked(
  c: Call,
  x: Value,
  {
    axis,
    index,
    indexShape = [index.length],
  }: { readonly axis: number; readonly index: readonly number[]; readonly indexShape?: readonly number[] },
): Value {
  const shape = [...x.shape.slice(0, axis), ...indexShape, ...x.shape.slice(axis + 1)];
  const positions = c.heap.allocate(index.length);
  c.heap.integers(positions).set(index);
  const out = c.heap.allocate(sizeOf(shape));
  const wrong = c.heap.kernels.gather(
    blockOf(c.heap, x, 'plain').pointer,
    positions.pointer,
    out.pointer,
    sizeOf(x.shape.slice(0, axis)),
    x.shape[axis]!,
    index.length,
    sizeOf(x.shape.slice(axis + 1)),
  );
  c.heap.release(positions);
  if (wrong) {
    c.heap.release(out);
    throw wrongShapes(c.node, `indices within ${x.shape[axis]}`, 'one outside');
  }
  return deviceValue(x.dtype, shape, out);
}

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
  return [
    rearranged(c, x, [
      [[n, channels * h * w]],
      [
        [b, w],
        [b, 1],
        [channels, h * w],
      ],
      [[h / b, b * w]],
      [[w / b, b]],
    ]),
  ];
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

/** Ops that move elements without computing. */
export const movementKernels = {
  Identity: identity,
  Dropout: (c) => (c.node.outputs[1] === undefined && !c.inputs[2] ? identity(c) : undefined),
  Reshape: shaped(targetShape),
  Flatten: shaped(flattened),
  Squeeze: shaped(squeezed),
  Unsqueeze: shaped(unsqueezed),
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
  Constant: onHost,
  ConstantOfShape: onHost,
  Range: onHost,
  EyeLike: onHost,
  NonZero: onHost,
  OneHot: onHost,
} as const satisfies Record<string, Kernel>;
