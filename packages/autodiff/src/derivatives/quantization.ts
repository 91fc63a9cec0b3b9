import { int, intOf, textOf, type ValueId } from '@espalier/core';
import { gridOf } from '@espalier/passes';
import type { Derivative, DerivativeContext } from '../derivative.js';

/**
 * Straight-through estimation: inside the range dx = dy, outside 0. The scale s of the highest code Q, and the zero
 * point z where a gradient is wanted, have
 *
 *     lsq:  ds = Σ dy (round(v) - v) inside, Σ dy c outside    (LSQ: Esser et al. 2020, arXiv 1902.08153, eq. 3)
 *     pact: ds = Q Σ dy outside                                (PACT: Choi et al. 2018, arXiv 1805.06085, eq. 3, α = Q s)
 *     dz = -s Σ dy outside                                     (LSQ+: Bhalgat et al. 2020, arXiv 2004.09576, eq. 5, β = -z s)
 *
 * without LSQ's factor 1/√(N·Q). PACT's is of inputs that are never negative. A scale that is not `learned` has none.
 */
const fakeQuantize: Derivative = (c) => {
  const { node } = c;
  const learned = c.wants(1) && intOf(node, 'learned', 1) === 1;
  const pact = textOf(node, 'slope', 'lsq') === 'pact';
  const attributes = Object.fromEntries(node.attributes);
  const scale = c.shape(c.input(1));
  const single = scale.length < 2 && scale.every((size) => size === 1);
  // The result shortens the sums of a single scale; vectors of scales belong to weights, which are small.
  const inputs = [c.input(0), c.input(1), node.inputs[2], c.gradient(0), ...(single ? [c.output(0)] : [])];
  const outputs = learned && !pact ? 2 : 1;
  const [dx, dscale] = c.emitAll('espalier::FakeQuantizeGradient', inputs, { outputs, attributes });
  const dzero = node.inputs[2] !== undefined && c.wants(2);
  if (!(learned && pact) && !dzero) return [dx, dscale, undefined];
  const outside = clippedGradient(c, dx!);
  return [
    dx,
    learned && pact ? c.emit('Mul', [outside, c.scalar(gridOf(node).high)]) : dscale,
    dzero ? c.emit('Neg', [c.emit('Mul', [outside, c.input(1)])]) : undefined,
  ];
};

/** Σ dy over what is clipped, in the shape of the scale: what of dy is not in dx. */
function clippedGradient(c: DerivativeContext, dx: ValueId): ValueId {
  const { node } = c;
  const rank = c.shape(c.input(0)).length;
  const scale = c.shape(c.input(1));
  const single = scale.every((size) => size === 1) && scale.length < 2;
  const axis = intOf(node, 'axis', 1);
  const own = axis < 0 ? axis + rank : axis;
  const axes = c.longs(Array.from({ length: rank }, (_, i) => i).filter((i) => single || i !== own));
  const gap = c.emit('Sub', [c.gradient(0), dx]);
  const sum = c.emit('ReduceSum', [gap, axes], { keepdims: int(0) });
  return single && scale.length === 1 ? c.emit('Reshape', [sum, c.longs([1])]) : sum;
}

/** The gradients of what is quantized, of the step, the limit and the exponent: see the lowering of the gradient op. */
const parameterizedQuantize: Derivative = (c) => {
  const exponent = c.node.inputs[3];
  return c.emitAll(
    'espalier::ParameterizedQuantizeGradient',
    [c.input(0), c.input(1), c.input(2), exponent, c.gradient(0)],
    { outputs: exponent === undefined ? 3 : 4, attributes: Object.fromEntries(c.node.attributes) },
  );
};

/** Quantizers for training. */
export const quantization = {
  'espalier::FakeQuantize': fakeQuantize,
  'espalier::ParameterizedQuantize': parameterizedQuantize,
} satisfies Readonly<Record<string, Derivative>>;
