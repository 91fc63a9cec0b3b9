import {
  bitsOf,
  type Graph,
  intOf,
  isFloat,
  isInteger,
  type Node,
  sizeOf,
  type Tensor,
  tensor,
  toFloats,
  type Use,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { broadcast } from './align-scale.js';
import { codedInput } from './coded-inputs.js';

/**
 * A coding of real numbers by the integers of a constant: w = (code - zero point) · scale. `aligned` has the rank of
 * the codes and says along which axes scales differ (see `Align`); zero points are one number or lie as scales do.
 */
export interface LinearCoding {
  readonly kind: 'linear';
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  readonly aligned: readonly number[];
  /** The number of indices that share a scale along an axis that `aligned` shortens. */
  readonly block: number;
}

/** The packing of `com.microsoft::MatMulNBits`: B uint8 [N, ceil(K/block), block·bits/8], low bits first. */
export interface BlockCoding {
  readonly kind: 'nbits';
  /** N. */
  readonly rows: number;
  /** K. */
  readonly columns: number;
  readonly bits: number;
  readonly block: number;
  readonly scale: Tensor;
  readonly zeroPoint?: Tensor;
}

/** A coding of real numbers by the elements of a constant. */
export type WeightCoding = LinearCoding | BlockCoding;

/**
 * The coding of a constant's integers: as a node that reads them says, or a Cast and a Mul with a
 * constant behind them, or a scale of their name (NAME_quantized, NAME_scale). Undefined for a constant that is read
 * as it is, and where what the file says does not fit together.
 */
export function codingOf(graph: Graph, value: ValueId): WeightCoding | undefined {
  const codes = graph.constants.get(value);
  if (!codes || codes.shape.length === 0) return undefined;
  for (const use of usesOf(graph, value)) {
    const coding = blockCoding(graph, codes, use) ?? readerCoding(graph, { value, codes, use });
    if (coding) return coding;
  }
  for (const use of usesOf(graph, value)) {
    const coding = unpackedCoding(graph, codes, use);
    if (coding) return coding;
  }
  if (!isInteger(codes.dtype) || bitsOf(codes.dtype) > 16) return undefined;
  for (const use of usesOf(graph, value)) {
    const scale = castAndMul(graph, use);
    if (scale) return linear(codes, { scale });
  }
  const scale = beside(graph, value, 'scale');
  const zeroPoint = beside(graph, value, 'zero_point');
  return scale && linear(codes, { scale, ...(zeroPoint ? { zeroPoint } : {}) });
}

/** The parts of a linear coding. */
interface Parts {
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
}

function linear(codes: Tensor, parts: Parts, { align = broadcast, block = 1 } = {}): LinearCoding | undefined {
  const { scale, zeroPoint } = parts;
  const aligned = align(codes.shape, scale?.shape ?? zeroPoint?.shape ?? []);
  if (!aligned) return undefined;
  // A malformed file must not make a reader run past the end of what it holds: what does not fit is no coding.
  const count = sizeOf(aligned);
  const fits = [scale, zeroPoint].every((each) => !each || [1, count].includes(sizeOf(each.shape)));
  return fits ? { kind: 'linear', ...parts, aligned, block } : undefined;
}

interface Reading {
  readonly value: ValueId;
  readonly codes: Tensor;
  readonly use: Use;
}

function readerCoding(graph: Graph, { value, codes, use: { node, slot } }: Reading): LinearCoding | undefined {
  const input = codedInput(node.op, slot);
  if (!input) return undefined;
  const at = (index: number | undefined) => constantAt(graph, node, index);
  const scale = input.scale === 'named' ? beside(graph, value, 'scale') : at(input.scale);
  const zeroPoint = at(input.zeroPoint);
  const parts = { ...(scale ? { scale } : {}), ...(zeroPoint ? { zeroPoint } : {}) };
  return linear(codes, parts, { align: input.align(node), block: input.block?.(node) || 1 });
}

function blockCoding(graph: Graph, packed: Tensor, { node, slot }: Use): BlockCoding | undefined {
  if (node.op !== 'com.microsoft::MatMulNBits' || slot !== 1) return undefined;
  const scale = constantAt(graph, node, 2);
  const zeroPoint = constantAt(graph, node, 3);
  if (!scale) return undefined;
  const coding: BlockCoding = {
    kind: 'nbits',
    rows: intOf(node, 'N', 0),
    columns: intOf(node, 'K', 0),
    bits: intOf(node, 'bits', 4),
    block: intOf(node, 'block_size', 32),
    scale,
    ...(zeroPoint ? { zeroPoint } : {}),
  };
  return blocksFit(coding, packed) ? coding : undefined;
}

function blocksFit({ rows, columns, bits, block, scale, zeroPoint }: BlockCoding, packed: Tensor): boolean {
  if (![2, 4, 8].includes(bits) || block < 16 || rows < 1 || columns < 1 || packed.dtype !== 'uint8') return false;
  const blocks = Math.ceil(columns / block);
  const zeros = zeroPoint?.dtype === 'uint8' ? rows * Math.ceil((blocks * bits) / 8) : rows * blocks;
  return (
    packed.data.length === (rows * blocks * block * bits) / 8 &&
    sizeOf(scale.shape) === rows * blocks &&
    (!zeroPoint || sizeOf(zeroPoint.shape) === zeros)
  );
}

const longestChain = 4; // nodes between codes and their reader: Cast, Mul, Cast, and the reader

/** Codes that nodes unpack first, by Cast and by Mul with one whole number, for a reader that has their scale. */
function unpackedCoding(graph: Graph, codes: Tensor, first: Use): LinearCoding | undefined {
  if (first.node.op !== 'Cast' || !isInteger(codes.dtype)) return undefined;
  let factor = 1;
  let use: Use | undefined = first;
  for (let i = 0; i < longestChain && use; i++) {
    const { node, slot }: Use = use;
    if (codedInput(node.op, slot)) {
      const coding = readerCoding(graph, { value: '', codes, use });
      const { scale } = coding ?? {};
      if (!coding || !scale || factor === 1) return coding;
      return {
        ...coding,
        scale: tensor(
          'float32',
          scale.shape,
          toFloats(scale).map((each) => each * factor),
        ),
      };
    }
    const other = node.op === 'Mul' ? constantAt(graph, node, 1 - slot) : undefined;
    const whole = other && isInteger(other.dtype) && sizeOf(other.shape) === 1 ? Number(other.data[0]) : undefined;
    if (node.op !== 'Cast' && whole === undefined) return undefined;
    factor *= whole ?? 1;
    use = usesOf(graph, node.outputs[0] ?? '')[0];
  }
  return undefined;
}

/** The constant of a Mul that reads the Cast of a weight. */
function castAndMul(graph: Graph, { node }: Use): Tensor | undefined {
  const output = node.op === 'Cast' ? node.outputs[0] : undefined;
  if (output === undefined) return undefined;
  for (const { node: reader, slot } of usesOf(graph, output)) {
    const scale = reader.op === 'Mul' ? constantAt(graph, reader, 1 - slot) : undefined;
    if (scale && isFloat(scale.dtype)) return scale;
  }
  return undefined;
}

const beside = (graph: Graph, value: ValueId, what: 'scale' | 'zero_point'): Tensor | undefined =>
  value.endsWith('_quantized') ? graph.constants.get(`${value.slice(0, -'quantized'.length)}${what}`) : undefined;

function constantAt(graph: Graph, node: Node, slot: number | undefined): Tensor | undefined {
  const value = slot === undefined ? undefined : node.inputs[slot];
  return value === undefined ? undefined : graph.constants.get(value);
}

const known = new WeakMap<Graph, ReadonlySet<Tensor>>();

/** The constants of a graph that are scales or zero points of others. */
export function codingParts(graph: Graph): ReadonlySet<Tensor> {
  let parts = known.get(graph);
  if (!parts) {
    const found = new Set<Tensor>();
    for (const value of graph.constants.keys()) {
      const coding = codingOf(graph, value);
      for (const part of [coding?.scale, coding?.zeroPoint]) if (part) found.add(part);
    }
    parts = found;
    known.set(graph, parts);
  }
  return parts;
}
