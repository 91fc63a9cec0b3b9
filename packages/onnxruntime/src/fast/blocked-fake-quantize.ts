import { type Node, staticShape, type ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import type { BlockedWriter } from './blocked-writer.js';

/** Whether a fake-quantizer acts on each element of an image alone, and no channel only fills up a block. */
function fits(node: Node, w: BlockedWriter): boolean {
  const [x, scale] = node.inputs as readonly [ValueId, ValueId]; // it has both
  const image = w.image(x);
  const sizes = staticShape(w.graph, scale);
  const single = sizes !== undefined && sizes.length < 2 && sizes.every((size) => size === 1);
  return image !== undefined && single && w.fills(image) && image.channels === image.padded;
}

const forward: BlockedRule = (node, w) => {
  const [x, ...others] = node.inputs as readonly [ValueId, ...ValueId[]]; // it has one
  if (!fits(node, w) || !w.isBlocked(x)) return false;
  w.give(node.outputs[0], w.emit(node.op, [w.blocked(x), ...others], Object.fromEntries(node.attributes)));
  return true;
};

/** The sum over all elements does not depend on their order. */
const gradient: BlockedRule = (node, w) => {
  const [x, scale, zero, dy, y] = node.inputs;
  if (!fits(node, w) || x === undefined || dy === undefined || y === undefined) return false;
  if (!w.isBlocked(x) && !w.isBlocked(dy)) return false;
  const inputs = [w.blocked(x), scale, zero, w.blocked(dy), w.blocked(y)];
  const attributes = Object.fromEntries(node.attributes);
  const outputs = node.outputs.map((value, i) => (i === 0 ? undefined : value));
  const [dx] = w.emitNamed(node.op, inputs, { outputs, attributes });
  w.give(node.outputs[0], dx!); // one name for each output
  return true;
};

/** Quantizers of training. */
export const blockedFakeQuantize = {
  'espalier::FakeQuantize': forward,
  'espalier::FakeQuantizeGradient': gradient,
} as const;
