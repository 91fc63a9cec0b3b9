import { float, indexOf, int, intOf, type Node, scalar, tensorInfo, toNumbers } from '@espalier/core';
import { loweringRefused } from '../errors.js';
import { gridOf } from '../fake-quantize.js';
import type { Lowering, LoweringContext } from '../lowering.js';
import { alongAxis, axesWithout, loweringEmitter } from './lowering-emitter.js';

/**
 * `espalier::FakeQuantizeGradient(x, scale, zero_point?, dy, y?) -> (dx, dscale)` is the straight-through gradient of
 * FakeQuantize. With v = x/scale, z the zero point and c = clip(v, low - z, high - z):
 *
 *     dx = dy where c = v, 0 elsewhere
 *     dscale = Σ dy (round(v) - v) where c = v, Σ dy c elsewhere
 *
 * over everything that shares a scale (LSQ: Esser et al. 2020, arXiv 1902.08153, eq. 3 and 5). LSQ's factor
 * 1/√(N·Q) is not part of it. Attributes are those of FakeQuantize; dscale has the shape of scale. Where y, the result
 * of FakeQuantize, is given and the scale is a single one, whole products of tensors take the place of most passes:
 *
 *     scale · dscale = Σ dy (y - x) + Σ (dy - dx) x
 *
 * @throws PASS_LOWERING where the rank of x is needed but unknown.
 */
export const lowerFakeQuantizeGradient: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const { low, high } = gridOf(node);
  const [x, scale, dy] = [e.input(0), e.input(1), e.input(3)];
  const zero = node.inputs[2];
  const scaleShape = tensorInfo(context.graph, scale)?.shape;
  const single = scaleShape?.length === 0 || (scaleShape?.length === 1 && scaleShape[0] === 1);
  if (single && node.inputs[4] !== undefined) return shortened(node, context);
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

/** The form for a single scale and a result that is known. */
function shortened(node: Node, context: LoweringContext): readonly Node[] {
  const e = loweringEmitter(node, context);
  const { graph } = context;
  const { low, high } = gridOf(node);
  const [x, scale, dy, y] = [e.input(0), e.input(1), e.input(3), e.input(4)];
  const zero = node.inputs[2];
  const scaleShape = tensorInfo(graph, scale)?.shape;
  const number = scaleShape?.length === 1 ? e.emit('Squeeze', [scale, e.longs([0])]) : scale;
  const bound = (limit: number) => {
    const code = e.number(limit);
    const offset =
      zero !== undefined && (tensorInfo(graph, zero)?.shape?.length ?? 0) > 0 ? e.emit('Squeeze', [zero]) : zero;
    return e.emit('Mul', [offset === undefined ? code : e.emit('Sub', [code, offset]), number]);
  };
  const constant = zero === undefined ? 0 : toNumbers(graph.constants.get(zero) ?? nan)[0];
  const rising = indexOf(graph).producer.get(x)?.op === 'Relu' && constant === low;
  // 1 up to the bound and 0 beyond it: clip(1 - 3e38 (x - bound), 0, 1), which is computed faster than a comparison.
  const step = { alpha: float(-3e38), beta: float(1) };
  const inside = rising
    ? e.emit('HardSigmoid', [e.emit('Sub', [x, bound(high)])], step)
    : e.emit('Cast', [e.emit('Equal', [e.emit('Clip', [x, bound(low), bound(high)]), x])], { to: int(1) });
  const wanted = node.outputs[1] !== undefined;
  const dx = wanted ? e.emit('Mul', [dy, inside]) : undefined;
  if (dx === undefined) {
    e.finish(0, 'Mul', { inputs: [dy, inside] });
    return e.nodes;
  }
  e.finish(0, 'Identity', { inputs: [dx] });
  const row = (value: string) => e.emit('Reshape', [value, e.longs([1, -1])]);
  const product = (a: string, b: string) => e.emit('Gemm', [row(a), row(b)], { transB: int(1) });
  const rounded = product(dy, e.emit('Sub', [y, x]));
  const clipped = product(e.emit('Sub', [dy, dx]), x);
  const sum = e.emit('Div', [e.emit('Add', [rounded, clipped]), number]);
  e.finish(1, 'Reshape', { inputs: [sum, e.longs(scaleShape?.length === 1 ? [1] : [])] });
  return e.nodes;
}

const nan = /* @__PURE__ */ scalar(Number.NaN);
