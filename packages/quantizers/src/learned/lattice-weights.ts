import {
  type Graph,
  intOf,
  type Node,
  roundHalfEven,
  type Tensor,
  tensor,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { gridOf } from '@espalier/passes';
import type { Granularity } from '../granularity.js';
import { scaleLayout } from '../granularity.js';

/** A weight as whole numbers and scales: element i is `codes[i]` times the scale of its channel. */
export interface LatticeWeight {
  readonly codes: Int16Array;
  readonly shape: readonly number[];
  readonly scale: Float32Array;
  /** The axis that scales go along; undefined for a single one. */
  readonly axis: number | undefined;
  readonly bits: number;
}

/**
 * The whole numbers of a fake-quantized constant, ties to even as at run time: clip(round(w / s), low, high). Undefined
 * where the node reads something else than constants, or a zero point. For w = [0.3, -2] and s = 0.5 it is [1, -4].
 */
export function latticeOf(graph: Graph, node: Node): LatticeWeight | undefined {
  const [from, by, zero] = node.inputs;
  const source = graph.constants.get(from ?? '');
  const scales = graph.constants.get(by ?? '');
  if (!source || !scales || zero !== undefined) return undefined;
  const { low, high, bits } = gridOf(node);
  const scale = Float32Array.from(toFloats(scales));
  const rank = source.shape.length;
  const given = intOf(node, 'axis', 1);
  const axis = scale.length === 1 ? undefined : given < 0 ? given + rank : given;
  const values = toFloats(source);
  const group = channelsOf(source.shape, axis);
  const codes = Int16Array.from(values, (value, i) =>
    Math.max(low, Math.min(high, roundHalfEven(Math.fround(value / scale[group(i)]!)))),
  );
  return { codes, shape: source.shape, scale, axis, bits };
}

/** The numbers that a lattice stands for, in float32. */
export const latticeTensor = ({ codes, shape, scale, axis }: LatticeWeight): Tensor<'float32'> => {
  const group = channelsOf(shape, axis);
  return tensor(
    'float32',
    shape,
    Float32Array.from(codes, (code, i) => Math.fround(code * scale[group(i)]!)),
  );
};

/**
 * The lattice after its channels along `output` were multiplied by factors, found from the numbers that came out: the
 * scales take the size of a factor, the codes its sign. Undefined where the numbers are on no such lattice.
 */
export function refitted(before: LatticeWeight, after: Float32Array, output: number): LatticeWeight | undefined {
  const { shape, codes } = before;
  const axis = output < 0 ? output + shape.length : output;
  if (before.axis !== undefined && before.axis !== axis) return undefined;
  const group = channelsOf(shape, axis);
  const count = shape[axis] ?? 1;
  const ratio = new Float64Array(count);
  const largest = new Int16Array(count);
  codes.forEach((code, i) => {
    const at = group(i);
    if (Math.abs(code) <= largest[at]!) return;
    largest[at] = Math.abs(code);
    ratio[at] = after[i]! / code;
  });
  const scale = Float32Array.from(ratio, (each, i) =>
    each === 0 ? before.scale[before.axis === undefined ? 0 : i]! : Math.abs(each),
  );
  const turned = codes.map((code, i) => (ratio[group(i)] === 0 ? 0 : ratio[group(i)]! < 0 ? -code : code));
  const found: LatticeWeight = { ...before, codes: turned, scale, axis };
  const again = latticeTensor(found).data;
  const fits = after.every(
    (value, i) => Math.abs(value - again[i]!) <= 1e-5 * scale[group(i)]! * (1 + Math.abs(codes[i]!)),
  );
  return fits ? found : undefined;
}

/** The index of the scale of an element. */
function channelsOf(shape: readonly number[], axis: number | undefined): (element: number) => number {
  if (axis === undefined) return () => 0;
  const granularity: Granularity = { per: 'channel', axis };
  const { length, inner } = scaleLayout(shape, granularity);
  return (element) => Math.floor(element / inner) % length;
}

/** The value as the lattice of a node shows it after other passes, by the node that reads it. */
export interface LatticeRead {
  readonly node: string;
  readonly slot: number;
  readonly value: ValueId;
  readonly lattice: LatticeWeight;
}
