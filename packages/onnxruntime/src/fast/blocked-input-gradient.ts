import { type Node, staticShape, type ValueId } from '@espalier/core';
import { inBlocks, kindOf } from './blocked-convolution.js';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { filledUpFilter, turnedDepthwiseFilter, turnedFilter } from './filter.js';
import { pickRows } from './rows.js';
import { type Window, windowAttributes, windowOf } from './window.js';

/**
 * `espalier::ConvInputGradient(dy, w)` as a blocked convolution of dy with the turned filter, channels exchanged. At
 * strides above 1, dy is first spread with zeros; with a 1x1 filter the result is spread instead, which is less work.
 */
export function blockedInputGradient(node: Node, w: BlockedWriter): boolean {
  const [dy, filter] = node.inputs as readonly [ValueId, ValueId]; // it has both
  const [from, to] = [w.image(dy), w.image(node.outputs[0])];
  const shape = staticShape(w.graph, filter);
  const window = shape?.length === 4 ? windowOf(node, shape.slice(2)) : undefined;
  if (!from || !to || !shape || !window) return false;
  const [outputs, inputs, height, width] = shape as [number, number, number, number]; // four
  const size = { outputs, inputs, height, width };
  const kind = kindOf(size, window.group);
  if (!kind || !w.fills(to) || !w.fills(from)) return false;
  const small = height * width === 1 && window.pads.every((pad) => pad === 0);
  const wide = small ? from : spreadSize(from, window);
  const pads = small ? window.pads : turnedPads(window, wide, to);
  if (pads.some((pad) => pad < 0)) return false;
  const filled = filledUpFilter(w, filter, { size, to: from, ...(kind === 'full' ? { from: to } : {}) });
  const turn = kind === 'full' ? turnedFilter : turnedDepthwiseFilter;
  const turned = turn(w, filled.value, filled.size);
  const source = small ? w.blocked(dy) : spread(w, w.blocked(dy), { from, to: wide, strides: window.strides });
  const convolved = w.emit(
    `${blockedDomain}::Conv`,
    [source, turned],
    windowAttributes({ ...inBlocks(window, to), strides: [1, 1], pads }),
  );
  const narrow = { ...to, height: from.height, width: from.width };
  w.give(node.outputs[0], small ? spread(w, convolved, { from: narrow, to, strides: window.strides }) : convolved);
  return true;
}

const spreadSize = (image: Image, { strides }: Window): Image => ({
  ...image,
  height: (image.height - 1) * strides[0] + 1,
  width: (image.width - 1) * strides[1] + 1,
});

/** Pads of the turned convolution, so that it gives exactly the places of x; negative where it cannot. */
function turnedPads({ kernel, dilations, pads }: Window, from: Image, to: Image): Window['pads'] {
  const [reachY, reachX] = [(kernel[0] - 1) * dilations[0], (kernel[1] - 1) * dilations[1]];
  const [top, left] = [reachY - pads[0], reachX - pads[1]];
  return [top, left, to.height - from.height + reachY - top, to.width - from.width + reachX - left];
}

/** Puts each place at a multiple of the strides, and zeros between. */
function spread(
  w: BlockedWriter,
  value: ValueId,
  { from, to, strides }: { readonly from: Image; readonly to: Image; readonly strides: readonly [number, number] },
): ValueId {
  if (from.height === to.height && from.width === to.width) return value;
  const area = to.height * to.width;
  const rows = pickRows(w, value, {
    image: from,
    count: (to.padded / w.block) * area,
    source(i) {
      const [block, y, x] = [Math.floor(i / area), Math.floor((i % area) / to.width), i % to.width];
      if (y % strides[0] !== 0 || x % strides[1] !== 0) return -1;
      const [row, column] = [y / strides[0], x / strides[1]];
      if (row >= from.height || column >= from.width) return -1;
      return (block * from.height + row) * from.width + column;
    },
  });
  return w.emit('Reshape', [rows, w.longs([-1, to.padded, to.height, to.width])]);
}
