import { int, intOf, tensorInfo } from '@espalier/core';
import { loweringRefused } from '../errors.js';
import { gridOf } from '../fake-quantize.js';
import type { Lowering } from '../lowering.js';
import { alongAxis, axesWithout, loweringEmitter } from './lowering-emitter.js';

/**
 * `espalier::FakeQuantizeGradient(x, scale, zero_point?, dy) -> (dx, dscale)` is the straight-through gradient of
 * FakeQuantize. With v = x/scale, z the zero point and c = clip(v, low - z, high - z):
 *
 *     dx = dy where c = v, 0 elsewhere
 *     dscale = Σ dy (round(v) - v) where c = v, Σ dy c elsewhere
 *
 * over everything that shares a scale (LSQ: Esser et al. 2020, arXiv 1902.08153, eq. 3 and 5). LSQ's factor
 * 1/√(N·Q) is not part of it. Attributes are those of FakeQuantize; dscale has the shape of scale.
 * @throws PASS_LOWERING where the rank of x is needed but unknown.
 */
export const lowerFakeQuantizeGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const { low, high } = gridOf(node);
  const [x, scale, dy] = [e.input(0), e.input(1), e.input(3)];
  const zero = node.inputs[2];
  const scaleShape = tensorInfo(context.graph, scale)?.shape;
  const single = scaleShape?.length === 0 || (scaleShape?.length === 1 && scaleShape[0] === 1);
  const rank = e.shape(x).length;
  const given = intOf(node, 'axis', 1);
  const axis = given < 0 ? given + rank : given;
  if (!single && (axis < 0 || axis >= rank)) {
    throw loweringRefused(node, { expected: `an axis within rank ${rank}`, found: `${given}` });
  }
  const spread = (value: string) => (single ? value : alongAxis(e, value, { axis, rank }));
  const bound = (limit: number) => {
    const number = e.number(limit);
    return zero === undefined ? number : e.emit('Sub', [number, spread(zero)]);
  };
  const v = e.emit('Div', [x, spread(scale)]);
  const clipped = e.emit('Min', [e.emit('Max', [v, bound(low)]), bound(high)]);
  const inside = e.emit('Cast', [e.emit('Equal', [clipped, v])], { to: int(1) });
  e.finish(0, 'Mul', { inputs: [dy, inside] });
  if (node.outputs[1] === undefined) return e.nodes;
  const slope = e.emit('Sub', [e.emit('Round', [clipped]), e.emit('Mul', [v, inside])]);
  const axes = single ? axesWithout(-1, rank) : axesWithout(axis, rank);
  const sum = e.emit('ReduceSum', [e.emit('Mul', [dy, slope]), e.longs(axes)], { keepdims: int(0) });
  if (scaleShape?.length === 1 && single) e.finish(1, 'Reshape', { inputs: [sum, e.longs([1])] });
  else e.finish(1, 'Identity', { inputs: [sum] });
  return e.nodes;
};
