import { type Node, staticShape, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain } from './blocked-writer.js';
import { blockedFilter } from './filter.js';
import { windowAttributes, windowOf } from './window.js';

/**
 * Conv over blocked values: in whole blocks, depthwise, or from fewer input channels than a block has, which are read
 * in plain form.
 */
export function blockedConvolution(node: Node, w: BlockedWriter): boolean {
  const [x, filter, bias] = node.inputs as readonly [ValueId, ValueId, ValueId?]; // Conv has both
  const image = w.image(x);
  const shape = staticShape(w.graph, filter);
  const window = shape?.length === 4 ? windowOf(node, shape.slice(2)) : undefined;
  if (!image || !shape || !window || !w.image(node.outputs[0])) return false;
  const [outputs, inputs, height, width] = shape as [number, number, number, number]; // four
  const size = { outputs, inputs, height, width };
  const few = window.group === 1 && inputs < w.block;
  const kind = few ? 'few' : kindOf(size, window.group, w.block);
  if (!kind || outputs % w.block !== 0) return false;
  const blockedWeight = blockedFilter(w, filter, { ...size, unblocked: kind !== 'full' });
  const from = few ? x : w.blocked(x);
  if (few) w.plain(x);
  w.give(node.outputs[0], w.emit(`${blockedDomain}::Conv`, [from, blockedWeight, bias], windowAttributes(window)));
  return true;
}

/** Which blocked convolution runs a filter: over whole blocks, depthwise, or none. */
export function kindOf(
  { outputs, inputs }: { readonly outputs: number; readonly inputs: number },
  group: number,
  block: number,
): 'full' | 'depthwise' | undefined {
  if (outputs % block !== 0) return undefined;
  if (group === 1) return inputs % block === 0 ? 'full' : undefined;
  return group === outputs && inputs === 1 ? 'depthwise' : undefined;
}
