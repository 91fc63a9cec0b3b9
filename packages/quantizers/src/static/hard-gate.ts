import { createNode, type Grid, type Node, scalar, type ValueId } from '@espalier/core';
import { affineOf } from '../affine.js';
import { storageOf } from '../grid.js';
import type { GraphWriter } from '../quantized-graph.js';
import { scaleConstants } from '../scale-constants.js';

/** A HardSigmoid, max(0, min(1, alpha x + beta)), of a quantized value. */
export interface HardGate {
  readonly writer: GraphWriter;
  readonly grid: Grid;
  /** The value it computes, for names. */
  readonly name: ValueId;
  readonly quantized: { readonly integers: ValueId; readonly scale: number; readonly zeroPointName: ValueId };
  /** Greater than 0. */
  readonly alpha: number;
  readonly beta: number;
}

/**
 * The gate without a kernel of its own: the integers of x read at the scale alpha * scale are alpha x, an Add of the
 * constant beta and a Clip to [0, 1] do the rest, and the runtime makes one integer Add of the three. Emits all but
 * the Clip, which is returned for the caller to name.
 */
export function writeGate({ writer, grid, name, quantized, alpha, beta }: HardGate): Node {
  const { integers, scale, zeroPointName } = quantized;
  const [scaled, offset, sum] = [`${name}_scaled`, `${name}_offset`, `${name}_sum`].map((wish) => writer.fresh(wish));
  const slope = writer.constant(`${name}_scaled_scale`, scalar(Math.fround(alpha * scale)));
  writer.emit(
    dequantize(writer, [integers, slope, zeroPointName], scaled!),
    dequantize(writer, constantInputs(writer, { grid, name: `${name}_beta`, value: beta }), offset!),
    createNode({ id: writer.fresh(`${name}_Add`), op: 'Add', inputs: [scaled, offset], outputs: [sum] }),
  );
  const bounds = [writer.constant(`${name}_low`, scalar(0)), writer.constant(`${name}_high`, scalar(1))];
  return createNode({ id: writer.fresh(`${name}_Clip`), op: 'Clip', inputs: [sum, ...bounds], outputs: [name] });
}

/** The gate with a Q/DQ pair behind it; returns the dequantized value. */
export function writeQuantizedGate(gate: HardGate): ValueId {
  const { writer, grid } = gate;
  const name = writer.fresh(`${gate.name}_gate`);
  const { scale, zeroPoint } = affineOf({ min: 0, max: 1 }, grid);
  const scales = { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint) };
  const constants = scaleConstants(scales, [], storageOf(grid));
  const parameters = [
    writer.constant(`${name}_scale`, constants.scale),
    writer.constant(`${name}_zero_point`, constants.zeroPoint),
  ];
  const [integers, output] = [writer.fresh(`${name}_quantized`), writer.fresh(`${name}_dequantized`)];
  const id = writer.fresh(`${name}_QuantizeLinear`);
  writer.emit(
    { ...writeGate({ ...gate, name }), outputs: [name] },
    createNode({ id, op: 'QuantizeLinear', inputs: [name, ...parameters], outputs: [integers] }),
    dequantize(writer, [integers, ...parameters], output),
  );
  return output;
}

const dequantize = (writer: GraphWriter, inputs: readonly ValueId[], output: ValueId): Node =>
  createNode({ id: writer.fresh(`${output}_DequantizeLinear`), op: 'DequantizeLinear', inputs, outputs: [output] });

// A single number is exact: one step away from the zero point, with itself as the step.
function constantInputs(
  writer: GraphWriter,
  { grid, name, value }: { readonly grid: Grid; readonly name: ValueId; readonly value: number },
): readonly ValueId[] {
  const scales = {
    scale: Float32Array.of(value === 0 ? 1 : Math.abs(value)),
    zeroPoint: Int32Array.of(value < 0 ? 1 : 0),
  };
  const { scale, zeroPoint } = scaleConstants(scales, [], storageOf(grid));
  const code = scaleConstants(
    { ...scales, zeroPoint: Int32Array.of(value > 0 ? 1 : 0) },
    [],
    storageOf(grid),
  ).zeroPoint;
  return [
    writer.constant(`${name}_quantized`, code),
    writer.constant(`${name}_scale`, scale),
    writer.constant(`${name}_zero_point`, zeroPoint),
  ];
}
