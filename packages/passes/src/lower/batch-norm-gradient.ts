import { float, floatOf, int, longs } from '@espalier/core';
import type { Lowering } from '../lowering.js';
import { perChannel } from './batch-norm-training.js';
import { alongAxis, type LoweringEmitter, loweringEmitter, reduceTo } from './lowering-emitter.js';

/**
 * `espalier::BatchNormGradient(x, scale, mean, variance, dy) -> (dx, dscale, dbias)` is the gradient of
 * BatchNormTraining, mean and variance being its own outputs. With M elements per channel and s = 1/√(variance + ε):
 *
 *     dbias = Σ dy,  dscale = s (Σ dy·x - mean dbias),
 *     dx = scale s (dy - dbias/M) - (scale s² dscale/M) (x - mean)
 *
 * (Ioffe & Szegedy 2015, arXiv 1502.03167, section 3). Per channel, dx is a·dy + b·x + c: lowered to two
 * BatchNormalization nodes of the inference form and an Add. Large means cost digits only linearly here, as they do
 * in x itself.
 */
export const lowerBatchNormGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const [x, scale, mean, variance, dy] = [0, 1, 2, 3, 4].map(e.input) as [string, string, string, string, string]; // five
  const rank = e.shape(x).length;
  const epsilon = e.number(floatOf(node, 'epsilon', 1e-5));
  const sum = (value: string) => reduceTo(e, 'ReduceSum', { value, axis: 1 });
  const [dbias, product] = [sum(dy), sum(e.emit('Mul', [dy, x]))];
  const s = e.emit('Reciprocal', [e.emit('Sqrt', [e.emit('Add', [variance, epsilon])])]);
  const dscale = e.emit('Mul', [s, e.emit('Sub', [product, e.emit('Mul', [mean, dbias])])]);
  e.finish(1, 'Identity', { inputs: [dscale] });
  e.finish(2, 'Identity', { inputs: [dbias] });
  if (node.outputs[0] === undefined) return e.nodes;
  const count = countPerChannel(e);
  const a = e.emit('Mul', [scale, s]);
  const b = e.emit('Neg', [e.emit('Mul', [a, e.emit('Div', [e.emit('Mul', [s, dscale]), count])])]);
  const c = e.emit('Neg', [e.emit('Mul', [a, e.emit('Div', [dbias, count])])]);
  const fromX = e.emit('BatchNormalization', [x, b, c, mean, perChannel(e, 1)], { epsilon: float(0) });
  const fromDy = e.emit('Mul', [dy, alongAxis(e, a, { axis: 1, rank })]);
  e.finish(0, 'Add', { inputs: [fromDy, fromX] });
  return e.nodes;
};

/** Elements of input 0 per channel, as a float scalar. */
function countPerChannel(e: LoweringEmitter): string {
  const shape = e.shape(e.input(0));
  const others = shape.filter((_, axis) => axis !== 1);
  if (others.every((dim) => typeof dim === 'number')) {
    return e.number(others.reduce((product, dim) => product * dim, 1));
  }
  const sizes = e.emit('Shape', [e.input(0)]);
  const axes = e.constant(longs(shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))));
  const count = e.emit('ReduceProd', [e.emit('Gather', [sizes, axes], { axis: int(0) })], { keepdims: int(0) });
  return e.emit('Cast', [count], { to: int(1) });
}
