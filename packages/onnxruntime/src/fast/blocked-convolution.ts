import { type Node, staticShape, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { filledUp } from './filled-up.js';
import { blockedFilter, type FilterSize, filledUpFilter } from './filter.js';
import { type PlaneWindow, planeWindow, windowAttributes } from './window.js';

/**
 * Conv over blocked values: in whole blocks, depthwise, or from fewer input channels than a block has, which are read
 * in plain form.
 */
export function blockedConvolution(node: Node, w: BlockedWriter): boolean {
  const [x, filter, bias] = node.inputs as readonly [ValueId, ValueId, ValueId?]; // Conv has both
  const image = w.image(x);
  const shape = staticShape(w.graph, filter);
  const window = shape?.length === 4 ? planeWindow(node, shape.slice(2)) : undefined;
  const to = w.image(node.outputs[0]);
  if (!image || !shape || !window || !to) return false;
  const [outputs, inputs, height, width] = shape as [number, number, number, number]; // four
  const size = { outputs, inputs, height, width };
  const few = window.group === 1 && inputs < w.block && !(w.isBlocked(x) && w.fills(image));
  const kind = few ? 'few' : kindOf(size, window.group);
  if (!kind || !w.fills(to) || (kind === 'full' && !w.fills(image))) return false;
  const whole = kind === 'full' ? { from: image, to } : { to };
  const filled = filledUpFilter(w, filter, { size, ...whole });
  const blockedWeight = blockedFilter(w, filled.value, { ...filled.size, unblocked: kind !== 'full' });
  const from = few ? x : w.blocked(x);
  if (few) w.plain(x);
  const inputsOf = [from, blockedWeight, bias === undefined ? bias : filledUp(w, bias, to)];
  w.give(node.outputs[0], w.emit(`${blockedDomain}::Conv`, inputsOf, windowAttributes(inBlocks(window, to))));
  return true;
}

/** Which blocked convolution runs a filter: over whole blocks, depthwise, or none. */
export function kindOf(
  { outputs, inputs }: Pick<FilterSize, 'outputs' | 'inputs'>,
  group: number,
): 'full' | 'depthwise' | undefined {
  if (group === 1) return 'full';
  return group === outputs && inputs === 1 ? 'depthwise' : undefined;
}

/** The window with a group for each channel of a whole number of blocks, where it has one for each channel. */
export const inBlocks = (window: PlaneWindow, { channels, padded }: Image): PlaneWindow =>
  window.group === channels && channels > 1 ? { ...window, group: padded } : window;
