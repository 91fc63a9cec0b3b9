import { type Dim, int, intOf, ints, intsOf, text, textOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

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

function size(c: DerivativeContext, value: ValueId, axis: number): number {
  const dim: Dim | undefined = c.shape(value)[axis];
  if (typeof dim === 'number') return dim;
  throw unsupportedForm(c.node, `a known size of axis ${axis} of "${value}"`, `"${dim}"`);
}

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const concat: Derivative = (c) => {
  const rank = c.shape(c.output(0)).length;
  const axis = positive(intOf(c.node, 'axis', 0), rank);
  const sizes = c.node.inputs.map((_, slot) => size(c, c.input(slot), axis));
  if (sizes.length === 1) return [c.gradient(0)];
  return c.emitAll('Split', [c.gradient(0), c.longs(sizes)], {
    outputs: sizes.length,
    attributes: { axis: int(axis) },
  });
};

/** Parts that the loss does not depend on count as zeros. */
const split: Derivative = (c) => {
  const axis = positive(intOf(c.node, 'axis', 0), c.shape(c.input(0)).length);
  const parts = c.node.outputs.flatMap((output, slot) => {
    if (output === undefined) throw unsupportedForm(c.node, 'every output named', 'one left out');
    return [c.gradient(slot) ?? c.zerosLike(output)];
  });
  return [c.emit('Concat', parts, { axis: int(axis) })];
};

/** dx is dy with zeros where the slice did not reach; steps other than 1 spread dy first. */
const slice: Derivative = (c) => {
  const shape = c.shape(c.input(0));
  const rank = shape.length;
  const [starts, ends] = [c.numbers(c.node.inputs[1]), c.numbers(c.node.inputs[2])];
  if (!starts || !ends) throw unsupportedForm(c.node, 'constant starts and ends', 'values computed at run time');
  const axes = (c.numbers(c.node.inputs[3]) ?? starts.map((_, i) => i)).map((axis) => positive(axis, rank));
  const steps = c.numbers(c.node.inputs[4]) ?? starts.map(() => 1);
  let gradient = c.gradient(0)!;
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    const step = steps[i]!;
    if (step === 1 && starts[i] === 0 && ends[i]! >= 2 ** 31) continue;
    const length = size(c, c.input(0), axis);
    const from = clampStart(starts[i]!, length, step);
    const count = size(c, c.output(0), axis);
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

/** The inner part of dy; negative pads were cuts and give zeros back. Only zeros (constants) may have been padded. */
const pad: Derivative = (c) => {
  const mode = textOf(c.node, 'mode', 'constant');
  if (mode !== 'constant') throw unsupportedForm(c.node, 'mode constant', `mode ${mode}`);
  const pads = c.numbers(c.node.inputs[1]);
  if (!pads) throw unsupportedForm(c.node, 'constant pads', 'pads computed at run time');
  const rank = c.shape(c.input(0)).length;
  const axes = (c.numbers(c.node.inputs[3]) ?? Array.from({ length: rank }, (_, i) => i)).map((axis) =>
    positive(axis, rank),
  );
  const full = new Array<number>(rank * 2).fill(0);
  axes.forEach((axis, i) => {
    full[axis] = -pads[i]!;
    full[axis + rank] = -pads[i + axes.length]!;
  });
  return [c.emit('Pad', [c.gradient(0), c.longs(full)], { mode: text('constant') })];
};

const expand: Derivative = (c) => [c.unbroadcast(c.gradient(0)!, c.input(0))];

/** Copies are summed: dy as [r0, d0, r1, d1, ...], summed over the r. */
const tile: Derivative = (c) => {
  const repeats = c.numbers(c.node.inputs[1]);
  if (!repeats) throw unsupportedForm(c.node, 'constant repeats', 'repeats computed at run time');
  const shape = c.shape(c.input(0));
  const inner = repeats.flatMap((repeat, i) => [
    repeat,
    repeat === 1 && typeof shape[i] === 'string' ? -1 : size(c, c.input(0), i),
  ]);
  const axes = repeats.map((_, i) => 2 * i);
  return [
    c.emit('ReduceSum', [c.emit('Reshape', [c.gradient(0), c.longs(inner)]), c.longs(axes)], { keepdims: int(0) }),
  ];
};

/** Slices that were read add up where they came from: a scatter with addition into zeros (embeddings, index lookups). */
const gather: Derivative = (c) => {
  const shape = c.shape(c.input(0));
  const axis = positive(intOf(c.node, 'axis', 0), shape.length);
  const fixed = c.numbers(c.node.inputs[1]);
  const rank = c.shape(c.input(1)).length;
  if (fixed && rank === 0) {
    const at = positive(fixed[0]!, size(c, c.input(0), axis));
    const kept = c.emit('Unsqueeze', [c.gradient(0), c.longs([axis])]);
    const before = shape.map((_, i) => (i === axis ? at : 0));
    const after = shape.map((_, i) => (i === axis ? size(c, c.input(0), axis) - at - 1 : 0));
    return [c.emit('Pad', [kept, c.longs([...before, ...after])], { mode: text('constant') })];
  }
  // Rows first: [axis, rest]; indices flat; then the axes go back.
  const order = [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)];
  const inverse = order.map((_, i) => order.indexOf(i));
  const dyRank = c.shape(c.output(0)).length;
  const dyOrder = [
    ...Array.from({ length: rank }, (_, i) => axis + i),
    ...Array.from({ length: dyRank }, (_, i) => i).filter((i) => i < axis || i >= axis + rank),
  ];
  const rows = size(c, c.input(0), axis);
  const rest = shape.filter((_, i) => i !== axis).map((_, i) => size(c, c.input(0), order[i + 1]!));
  const updates = c.emit('Reshape', [
    c.emit('Transpose', [c.gradient(0)], { perm: ints(dyOrder) }),
    c.longs([-1, ...rest]),
  ]);
  const flat = c.emit('Reshape', [c.emit('Cast', [c.input(1)], { to: int(7) }), c.longs([-1, 1])]);
  const zero = c.floats([0], [1]);
  const zeros = c.emit('Expand', [zero, c.longs([rows, ...rest])]);
  const summed = c.emit('ScatterND', [zeros, flat, updates], { reduction: text('add') });
  return [axis === 0 ? summed : c.emit('Transpose', [summed], { perm: ints(inverse) })];
};

const gatherElements: Derivative = (c) => {
  const zeros = c.zerosLike(c.input(0));
  return [
    c.emit('ScatterElements', [zeros, c.input(1), c.gradient(0)], {
      axis: int(intOf(c.node, 'axis', 0)),
      reduction: text('add'),
    }),
  ];
};

const depthToSpace: Derivative = (c) => {
  const block = intOf(c.node, 'blocksize', 1);
  if (textOf(c.node, 'mode', 'DCR') === 'DCR')
    return [c.emit('SpaceToDepth', [c.gradient(0)], { blocksize: int(block) })];
  // CRD: channels are [c, b, b]; SpaceToDepth writes [b, b, c], so the blocks move behind the channels.
  const [, channels, height, width] = c
    .shape(c.input(0))
    .map((_, axis) => (axis === 0 ? -1 : size(c, c.input(0), axis)));
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
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Gather: gather,
  GatherElements: gatherElements,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
} satisfies Readonly<Record<string, Derivative>>;
