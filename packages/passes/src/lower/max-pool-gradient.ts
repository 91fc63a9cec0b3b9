import { int, intOf, text } from '@espalier/core';
import type { Lowering } from '../lowering.js';
import { loweringEmitter } from './lowering-emitter.js';
import { checkedWindow, windowAttributes } from './window.js';

/**
 * `espalier::MaxPoolGradient(x, y, dy) -> dx` is the gradient of y = MaxPool(x): each dy goes to the first maximum of
 * its window in row-major order, and dx sums what arrives. Attributes are those of that MaxPool, pads written out.
 * Lowered to MaxPool with its indices (positions in the flat x) and a ScatterElements that adds; an executor that
 * finds the maximum by comparing may use y.
 */
export const lowerMaxPoolGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const [x, dy] = [e.input(0), e.input(2)];
  const [, indices] = e.emitAll('MaxPool', [x], {
    outputs: 2,
    attributes: { ...windowAttributes(checkedWindow(node)), ceil_mode: int(intOf(node, 'ceil_mode', 0)) },
  });
  const flat = e.longs([-1]);
  const size = e.emit('Reshape', [e.emit('Size', [x]), e.longs([1])]);
  const zeros = e.emit('Expand', [e.number(0), size]);
  const from = [e.emit('Reshape', [indices, flat]), e.emit('Reshape', [dy, flat])];
  const sums = e.emit('ScatterElements', [zeros, ...from], { axis: int(0), reduction: text('add') });
  e.finish(0, 'Reshape', { inputs: [sums, e.emit('Shape', [x])] });
  return e.nodes;
};
