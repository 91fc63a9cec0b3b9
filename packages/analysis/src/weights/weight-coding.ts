import { type Graph, intOf, type Node, sizeOf, type Tensor, usesOf, type ValueId } from '@espalier/core';

/**
 * How the integers of a constant stand for real numbers: w = (code - zero point) · scale. `axis` is the axis along
 * which scales differ, `block` how many elements of that axis share one (1: per channel); without `axis` there is one
 * scale. `scale` or `zeroPoint` is absent where the graph does not hold it as a constant (1 and 0 are meant then).
 */
export interface WeightCoding {
  readonly kind: 'linear';
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  readonly axis?: number;
  readonly block?: number;
}

/** The packing of `com.microsoft::MatMulNBits`: B uint8 [N, ceil(K/block), block·bits/8], low bits first. */
export interface BlockCoding {
  readonly kind: 'nbits';
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly block: number;
  readonly scale: Tensor;
  readonly zeroPoint?: Tensor;
}

/** Where a reader of an integer weight finds its scale and zero point. */
interface CodedInput {
  /** Slot of the codes. */
  readonly slot: number;
  readonly scale?: number;
  readonly zeroPoint?: number;
  /** The axis of per-channel scales; read when the scale has more than one element. */
  readonly axis?: (node: Node, rank: number) => number;
  readonly block?: (node: Node) => number;
}

const first = () => 0;
const last = (_: Node, rank: number) => rank - 1;
const dequantize: CodedInput = {
  slot: 0,
  scale: 1,
  zeroPoint: 2,
  axis: (node, rank) => nonNegative(intOf(node, 'axis', 1), rank),
  block: (node) => intOf(node, 'block_size', 0),
};
const matmulB = (slots: Omit<CodedInput, 'axis'>): CodedInput => ({ ...slots, axis: last });

/** Ops that read integer weights, with the slots of what belongs to them. */
const codedInputs: Readonly<Record<string, readonly CodedInput[]>> = {
  DequantizeLinear: [dequantize],
  'com.microsoft::DequantizeLinear': [dequantize],
  QLinearConv: [{ slot: 3, scale: 4, zeroPoint: 5, axis: first }, { slot: 8 }],
  'com.microsoft::QLinearConv': [{ slot: 3, scale: 4, zeroPoint: 5, axis: first }, { slot: 8 }],
  QLinearMatMul: [matmulB({ slot: 0, scale: 1, zeroPoint: 2 }), matmulB({ slot: 3, scale: 4, zeroPoint: 5 })],
  'com.microsoft::QGemm': [
    { slot: 3, scale: 4, zeroPoint: 5, axis: (node) => (intOf(node, 'transB', 0) ? 0 : 1) },
    { slot: 6 },
  ],
  MatMulInteger: [matmulB({ slot: 1, zeroPoint: 3 }), matmulB({ slot: 0, zeroPoint: 2 })],
  ConvInteger: [{ slot: 1, zeroPoint: 3, axis: first }],
  'com.microsoft::MatMulIntegerToFloat': [matmulB({ slot: 1, scale: 3, zeroPoint: 5 })],
  'com.microsoft::DynamicQuantizeMatMul': [matmulB({ slot: 1, scale: 2, zeroPoint: 3 })],
  'com.microsoft::DynamicQuantizeLSTM': [
    { slot: 1, scale: 8, zeroPoint: 9 },
    { slot: 2, scale: 10, zeroPoint: 11 },
  ],
  'com.microsoft::GatherBlockQuantized': [
    {
      slot: 0,
      scale: 2,
      zeroPoint: 3,
      axis: (node, rank) => nonNegative(intOf(node, 'quantize_axis', 1), rank),
      block: (node) => intOf(node, 'block_size', 128),
    },
  ],
};

const nonNegative = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** Ops that read a constant through this table. */
export const codedSlots = (op: string): readonly number[] =>
  Object.hasOwn(codedInputs, op) ? codedInputs[op]!.map(({ slot }) => slot) : [];

/**
 * How the integers of a constant stand for real numbers, from the first reader that says so; undefined for a constant
 * that is read as it is.
 */
export function codingOf(graph: Graph, value: ValueId): WeightCoding | BlockCoding | undefined {
  const constant = graph.constants.get(value);
  if (!constant) return undefined;
  const rank = constant.shape.length;
  for (const { node, slot } of usesOf(graph, value)) {
    const at = (index: number | undefined) => constantAt(graph, node, index);
    if (node.op === 'com.microsoft::MatMulNBits' && slot === 1) {
      const scale = at(2);
      const coding = scale && blockCoding(node, scale, at(3));
      if (coding && blocksFit(coding, constant)) return coding;
    }
    const coded = Object.hasOwn(codedInputs, node.op)
      ? codedInputs[node.op]!.find((input) => input.slot === slot)
      : undefined;
    if (!coded) continue;
    const scale = coded.scale === undefined ? scaleBeside(graph, value) : at(coded.scale);
    const zeroPoint = at(coded.zeroPoint);
    const several = Math.max(countOf(scale), countOf(zeroPoint)) > 1;
    const coding: WeightCoding = {
      kind: 'linear',
      ...(scale ? { scale } : {}),
      ...(zeroPoint ? { zeroPoint } : {}),
      ...(several && coded.axis ? { axis: coded.axis(node, rank), block: coded.block?.(node) || 1 } : {}),
    };
    if (scalesFit(coding, constant)) return coding;
  }
  return undefined;
}

function blockCoding(node: Node, scale: Tensor, zeroPoint: Tensor | undefined): BlockCoding {
  return {
    kind: 'nbits',
    rows: intOf(node, 'N', 0),
    columns: intOf(node, 'K', 0),
    bits: intOf(node, 'bits', 4),
    block: intOf(node, 'block_size', 32),
    scale,
    ...(zeroPoint ? { zeroPoint } : {}),
  };
}

// Integer products are scaled after the product; the name of the scale tells which one it is (NAME_quantized, NAME_scale).
const scaleBeside = (graph: Graph, value: ValueId): Tensor | undefined =>
  value.endsWith('_quantized') ? graph.constants.get(value.replace(/_quantized$/, '_scale')) : undefined;

const countOf = (tensor: Tensor | undefined): number => (tensor ? sizeOf(tensor.shape) : 0);

// A malformed file must not make a reader run past the end of what it holds: a coding that does not fit is no coding.
function scalesFit({ scale, zeroPoint, axis, block = 1 }: WeightCoding, { shape }: Tensor): boolean {
  const length = axis === undefined ? 1 : shape[axis];
  if (length === undefined || block < 1) return false;
  const groups = block === 1 ? length : (sizeOf(shape) / Math.max(1, length)) * Math.ceil(length / block);
  return [scale, zeroPoint].every((each) => !each || countOf(each) === 1 || countOf(each) === groups);
}

function blocksFit({ rows, columns, bits, block, scale, zeroPoint }: BlockCoding, packed: Tensor): boolean {
  if (![2, 4, 8].includes(bits) || block < 16 || rows < 1 || columns < 1 || packed.dtype !== 'uint8') return false;
  const blocks = Math.ceil(columns / block);
  const zeros = zeroPoint?.dtype === 'uint8' ? rows * Math.ceil((blocks * bits) / 8) : rows * blocks;
  return (
    packed.data.length === (rows * blocks * block * bits) / 8 &&
    countOf(scale) === rows * blocks &&
    (!zeroPoint || countOf(zeroPoint) === zeros)
  );
}

function constantAt(graph: Graph, node: Node, slot: number | undefined): Tensor | undefined {
  const value = slot === undefined ? undefined : node.inputs[slot];
  return value === undefined ? undefined : graph.constants.get(value);
}
