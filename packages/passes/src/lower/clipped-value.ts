import { int, intOf, tensorInfo, type ValueId } from '@espalier/core';
import { loweringRefused } from '../errors.js';
import type { LoweringContext } from '../lowering.js';
import { alongAxis, type LoweringEmitter } from './lowering-emitter.js';

/** The pieces that a parameterized quantizer and its gradient share. */
export interface ClippedValue {
  /** Whether the grid has negative points. */
  readonly signed: boolean;
  /** Axis of the parameters; undefined where one number serves the whole tensor. */
  readonly axis: number | undefined;
  readonly rank: number;
  /** The magnitude of x: |x|, or x without its negative part where unsigned. */
  readonly magnitude: ValueId;
  /** min(magnitude, limit). */
  readonly held: ValueId;
  /** held^exponent. */
  readonly clipped: ValueId;
  /** The step, shaped to broadcast against x. */
  readonly step: ValueId;
  /** A parameter, shaped to broadcast against x. */
  spread(parameter: ValueId): ValueId;
}

/** Emits c(x) = min(|x|, limit)^exponent. @throws PASS_LOWERING where the axis of the parameters does not exist. */
export function clippedValue(e: LoweringEmitter, { graph }: LoweringContext): ClippedValue {
  const [x, step, limit] = [e.input(0), e.input(1), e.input(2)];
  const exponent = e.node.inputs[3];
  const signed = intOf(e.node, 'signed', 1) === 1;
  const rank = e.shape(x).length;
  const shape = tensorInfo(graph, step)?.shape;
  const single = shape?.length === 0 || (shape?.length === 1 && shape[0] === 1);
  const given = intOf(e.node, 'axis', 0);
  const axis = given < 0 ? given + rank : given;
  if (!single && !(axis >= 0 && axis < rank)) {
    throw loweringRefused(e.node, { expected: `an axis within rank ${rank}`, found: `${given}` });
  }
  const spread = (value: ValueId) => (single ? value : alongAxis(e, value, { axis, rank }));
  const magnitude = signed ? e.emit('Abs', [x]) : e.emit('Max', [x, e.number(0)]);
  const held = e.emit('Min', [magnitude, spread(limit)]);
  const clipped = exponent === undefined ? held : e.emit('Pow', [held, spread(exponent)]);
  return { signed, axis: single ? undefined : axis, rank, magnitude, held, clipped, step: spread(step), spread };
}

/** Attributes of a reduction that keeps no axis of size 1. */
export const withoutDims = { keepdims: /* @__PURE__ */ int(0) };
