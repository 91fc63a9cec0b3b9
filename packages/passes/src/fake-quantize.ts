import {
  type Attribute,
  createNode,
  type DType,
  fromNumbers,
  int,
  intOf,
  ints,
  longs,
  type Node,
  opsetOf,
  reshaped,
  sizeOf,
  tensorInfo,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { loweringRefused } from './errors.js';
import type { Lowering, LoweringContext } from './lowering.js';

/** The integers of a fake-quantizer: `bits` 1 to 16; `narrow` leaves out the lowest one. */
export function gridOf(node: Node): {
  readonly low: number;
  readonly high: number;
  readonly bits: number;
  readonly signed: boolean;
  readonly narrow: boolean;
} {
  const bits = intOf(node, 'bits', 8);
  const signed = intOf(node, 'signed', 1) === 1;
  const narrow = intOf(node, 'narrow', 0) === 1;
  if (bits < 1 || bits > 16) throw loweringRefused(node, { expected: 'bits from 1 to 16', found: `${bits}` });
  const low = (signed ? -(2 ** (bits - 1)) : 0) + (narrow ? 1 : 0);
  return { low, high: signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1, bits, signed, narrow };
}

/**
 * `espalier::FakeQuantize(x, scale, zero_point?) -> y` puts x on the lattice of a quantizer without leaving floats:
 *
 *     y = (clip(round(x / scale) + zero_point, low, high) - zero_point) scale
 *
 * with ties rounded to even. `bits` (8), `signed` (1) and `narrow` (0) give low and high: -128..127 by default,
 * -127..127 narrow, 0..255 unsigned. `scale` is positive: one number, or one per index of `axis` (1) of x, as in
 * QuantizeLinear. `zero_point` has the shape of scale and the dtype of x, and holds whole numbers; none means 0.
 * For 8 bits that are not narrow this is QuantizeLinear followed by DequantizeLinear, to the last bit. For x = 0.3
 * and scale 0.25 it is 0.25.
 *
 * Attributes that training alone reads: `role` says what is put on the lattice (`weight`, `activation`, an `operand`
 * that stays as it is, or the `offset` that is the zero point of another quantizer), `learned` (1) whether the scale is
 * trained, and `slope` which gradient the scale has: `lsq`, or `pact`, where only what is clipped counts.
 *
 * Lowered to that pair for up to 8 bits with a constant zero point, with a Clip of the integers between the two where
 * there are fewer than their type holds, else to Div, Round, Add, Clip, Sub
 * and Mul. @throws PASS_LOWERING before opset 11, which has no Round, and where the rank of x is needed but unknown.
 */
export const lowerFakeQuantize: Lowering = (node, context) => {
  const { graph, qdq } = context;
  const grid = gridOf(node);
  const [x, scale, zero] = node.inputs;
  const opset = opsetOf(graph);
  if (x === undefined || scale === undefined || node.outputs[0] === undefined) {
    throw loweringRefused(node, { expected: 'inputs x and scale, and an output', found: 'fewer' });
  }
  if (opset < 11) throw loweringRefused(node, { expected: 'opset 11 or newer', found: `opset ${opset}` });
  const single = isSingle(context, scale);
  const constantZero = zero === undefined || graph.constants.has(zero);
  const whole = grid.bits === 8 && !grid.narrow;
  const integers = whole || (grid.bits <= 8 && opset >= 12);
  if (!single) checkAxis(node, context);
  if (qdq && integers && constantZero && (single || opset >= 13)) return pair(node, context);
  return arithmetic(node, { ...context, single });
};

const isSingle = ({ graph }: LoweringContext, scale: ValueId): boolean => {
  const shape = tensorInfo(graph, scale)?.shape;
  return shape?.length === 0 || (shape?.length === 1 && shape[0] === 1);
};

function pair(node: Node, { graph, draft }: LoweringContext): readonly Node[] {
  const [x, scale, zero] = node.inputs;
  const { signed, low, high, bits, narrow } = gridOf(node);
  const dtype: DType = signed ? 'int8' : 'uint8';
  const values = zero === undefined ? undefined : graph.constants.get(zero);
  const shape = values?.shape ?? tensorInfo(graph, scale!)?.shape;
  if (!shape?.every((dim): dim is number => typeof dim === 'number')) {
    throw loweringRefused(node, { expected: 'a scale of known shape', found: 'an unknown one' });
  }
  const zeros = values ? toNumbers(values) : new Float32Array(sizeOf(shape as readonly number[]));
  const zeroName = draft.constant(`${node.id}_zero_point`, fromNumbers(dtype, shape as readonly number[], zeros)); // numbers, as just checked
  const codes = draft.fresh(`${node.outputs[0]}_quantized`);
  const attributes: Record<string, Attribute> = shape.length === 0 ? {} : { axis: int(intOf(node, 'axis', 1)) };
  const fewer = bits < 8 || narrow;
  const clipped = fewer ? draft.fresh(`${node.outputs[0]}_clipped`) : codes;
  const bound = (name: string, value: number) => draft.constant(`${node.id}_${name}`, fromNumbers(dtype, [], [value]));
  return [
    createNode({
      id: draft.fresh(`${node.id}_quantize`),
      op: 'QuantizeLinear',
      inputs: [x, scale, zeroName],
      outputs: [codes],
      attributes,
    }),
    ...(fewer
      ? [
          createNode({
            id: draft.fresh(`${node.id}_clip`),
            op: 'Clip',
            inputs: [codes, bound('low', low), bound('high', high)],
            outputs: [clipped],
          }),
        ]
      : []),
    createNode({
      id: node.id,
      op: 'DequantizeLinear',
      inputs: [clipped, scale, zeroName],
      outputs: node.outputs,
      attributes,
    }),
  ];
}

function arithmetic(node: Node, context: LoweringContext & { readonly single: boolean }): readonly Node[] {
  const { draft, graph } = context;
  const { low, high } = gridOf(node);
  const [x, scale, zero] = node.inputs;
  const dtype = tensorInfo(graph, x!)?.dtype ?? 'float32';
  const before: Node[] = [];
  const steps: Node[] = [];
  const factor = aligned(node, { ...context, value: scale!, name: 'scale', before });
  const offset =
    zero === undefined ? undefined : aligned(node, { ...context, value: zero, name: 'zero_point', before });
  const bound = (name: string, value: number) => draft.constant(`${node.id}_${name}`, fromNumbers(dtype, [], [value]));
  let value = x!;
  const step = (op: string, ...others: readonly ValueId[]) => {
    const output = draft.fresh(`${node.id}_${op.toLowerCase()}`);
    steps.push(createNode({ id: output, op, inputs: [value, ...others], outputs: [output] }));
    value = output;
  };
  step('Div', factor);
  step('Round');
  if (offset !== undefined) step('Add', offset);
  step('Clip', bound('low', low), bound('high', high));
  if (offset !== undefined) step('Sub', offset);
  return [...before, ...steps, createNode({ id: node.id, op: 'Mul', inputs: [value, factor], outputs: node.outputs })];
}

/** @throws PASS_LOWERING where the axis of the scales is known not to exist. */
function checkAxis(node: Node, { graph }: LoweringContext): void {
  const rank = tensorInfo(graph, node.inputs[0]!)?.shape?.length; // as its caller checked
  const given = intOf(node, 'axis', 1);
  if (rank === undefined || (given >= -rank && given < rank)) return;
  throw loweringRefused(node, { expected: `an axis within rank ${rank}`, found: `${given}` });
}

interface Alignment extends LoweringContext {
  readonly single: boolean;
  readonly value: ValueId;
  readonly name: string;
  readonly before: Node[];
}

/** A per-axis vector as [c, 1, .., 1], so that it lines up with its axis of x when broadcast. */
function aligned(node: Node, { graph, draft, single, value, name, before }: Alignment): ValueId {
  if (single) return value;
  const rank = tensorInfo(graph, node.inputs[0]!)?.shape?.length;
  const given = intOf(node, 'axis', 1);
  if (rank === undefined) {
    throw loweringRefused(node, { expected: 'data of known rank for a scale per axis', found: 'an unknown rank' });
  }
  const trailing = rank - 1 - (given < 0 ? given + rank : given);
  if (trailing < 0 || trailing >= rank) {
    throw loweringRefused(node, { expected: `an axis within rank ${rank}`, found: `${given}` });
  }
  if (trailing === 0) return value;
  const output = draft.fresh(`${node.id}_${name}`);
  const constant = graph.constants.get(value);
  if (constant) {
    draft.setConstant(output, reshaped(constant, [...constant.shape, ...new Array<number>(trailing).fill(1)]));
    return output;
  }
  const axes = Array.from({ length: trailing }, (_, i) => i + 1);
  before.push(unsqueezed({ input: value, output, axes }, { graph, draft }));
  return output;
}

function unsqueezed(
  { input, output, axes }: { input: ValueId; output: ValueId; axes: readonly number[] },
  { graph, draft }: Pick<LoweringContext, 'graph' | 'draft'>,
): Node {
  if (opsetOf(graph) < 13) {
    return createNode({
      id: output,
      op: 'Unsqueeze',
      inputs: [input],
      outputs: [output],
      attributes: { axes: ints(axes) },
    });
  }
  const list = draft.constant(`${output}_axes`, longs(axes));
  return createNode({ id: output, op: 'Unsqueeze', inputs: [input, list], outputs: [output] });
}
