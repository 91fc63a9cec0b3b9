import type { Lowering } from '../lowering.js';
import { clippedValue } from './clipped-value.js';
import { loweringEmitter } from './lowering-emitter.js';

/**
 * `espalier::ParameterizedQuantize(x, step, limit, exponent?) -> y` is a quantizer whose step d, limit q and exponent
 * t are all learned, so that its width follows from them (GETA: arXiv 2502.16638; DJPQ: arXiv 2007.10463):
 *
 *     c(x) = min(|x|, q)^t        y = sgn(x) d round(c(x) / d)        bits = log2(q^t / d + 1) + 1
 *
 * with ties rounded to even; no exponent means 1. With `signed` (1) set to 0, negative values become 0 and the sign
 * bit goes. The parameters are positive: one number each, or one per index of `axis` (0) of x. y is a whole number of
 * steps whatever the exponent is. For x = 0.41, d = 0.1 and q = 1 it is 0.4.
 *
 * Lowered to Abs, Min, Pow, Div, Round, Sign and Mul. @throws PASS_LOWERING where the rank of x is unknown.
 */
export const lowerParameterizedQuantize: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const { signed, clipped, step } = clippedValue(e, context);
  const codes = e.emit('Round', [e.emit('Div', [clipped, step])]);
  const signedCodes = signed ? e.emit('Mul', [codes, e.emit('Sign', [e.input(0)])]) : codes;
  e.finish(0, 'Mul', { inputs: [signedCodes, step] });
  return e.nodes;
};
