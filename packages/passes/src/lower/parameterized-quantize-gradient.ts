import { int, tensorInfo, type ValueId } from '@espalier/core';
import type { Lowering } from '../lowering.js';
import { clippedValue, withoutDims } from './clipped-value.js';
import { axesWithout, loweringEmitter } from './lowering-emitter.js';

/**
 * `espalier::ParameterizedQuantizeGradient(x, step, limit, exponent?, dy) -> (dx, dstep, dlimit, dexponent)` is the
 * straight-through gradient of ParameterizedQuantize. With c the clipped value, q the limit, t the exponent and
 * R = round(c/d) - c/d:
 *
 *     dx = dy where |x| <= q, 0 elsewhere
 *     dstep = Σ dy sgn(x) R
 *     dlimit = Σ dy sgn(x) t q^(t-1) where |x| > q, 0 elsewhere
 *     dexponent = Σ dy sgn(x) c ln(min(|x|, q)), 0 at x = 0
 *
 * over everything that shares the parameters (DJPQ: arXiv 2007.10463). The window of dx is the limit itself.
 * @throws PASS_LOWERING where the rank of x is unknown.
 */
export const lowerParameterizedQuantizeGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const value = clippedValue(e, context);
  const { signed, axis, rank, magnitude, held, clipped, step, spread } = value;
  const [x, limit, dy] = [e.input(0), e.input(2), e.input(4)];
  const exponent = node.inputs[3];
  const float = (condition: ValueId) => e.emit('Cast', [condition], { to: int(1) });
  const within = float(e.emit('Equal', [held, magnitude]));
  const window = signed ? within : float(e.emit('Equal', [held, x]));
  e.finish(0, 'Mul', { inputs: [dy, window] });
  const signedGradient = signed ? e.emit('Mul', [dy, e.emit('Sign', [x])]) : dy;
  const axes = e.longs(axesWithout(axis ?? -1, rank));
  const summed = (slot: number, terms: ValueId) => {
    if (node.outputs[slot] === undefined) return;
    const shape = tensorInfo(context.graph, e.input(slot))?.shape ?? [];
    const sum = e.emit('ReduceSum', [terms, axes], withoutDims);
    const one = axis === undefined && shape.length === 1;
    e.finish(slot, one ? 'Reshape' : 'Identity', { inputs: one ? [sum, e.longs([1])] : [sum] });
  };
  const ratio = e.emit('Div', [clipped, step]);
  summed(1, e.emit('Mul', [signedGradient, e.emit('Sub', [e.emit('Round', [ratio]), ratio])]));
  const beyond = e.emit('Mul', [signedGradient, e.emit('Sub', [e.number(1), within])]);
  if (exponent === undefined) {
    summed(2, beyond);
    return e.nodes;
  }
  const [t, q] = [spread(exponent), spread(limit)];
  const slope = e.emit('Mul', [t, e.emit('Pow', [q, e.emit('Sub', [t, e.number(1)])])]);
  summed(2, e.emit('Mul', [beyond, slope]));
  const logarithm = e.emit('Log', [e.emit('Max', [held, e.number(smallest)])]);
  summed(3, e.emit('Mul', [signedGradient, e.emit('Mul', [clipped, logarithm])]));
  return e.nodes;
};

/** Where the logarithm is taken for values of zero, whose clipped value is 0. */
const smallest = 1e-30;
