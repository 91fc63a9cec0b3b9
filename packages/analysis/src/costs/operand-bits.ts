import { bitsOf, type Graph, indexOf, intOf, type Node, tensorInfo, type ValueId } from '@espalier/core';
import { movementOf } from '@espalier/ops';

/** Whether an op hands numbers of its first input on as they are: rows that are looked up keep their width too. */
const carries = (op: string): boolean => op === 'Gather' || movementOf(op) !== undefined;

/**
 * Bits of the numbers that a layer multiplies: the stored width before a DequantizeLinear (int8: 8), else the width of
 * the dtype that is computed with (float32: 32). MatMulNBits carries its width in an attribute. Undefined when the
 * dtype is not known.
 */
export function operandBits(graph: Graph, node: Node, slot: number): number | undefined {
  if (slot === 1 && node.op === 'com.microsoft::MatMulNBits') return intOf(node, 'bits', 4);
  if (slot === 1 && node.op === 'com.microsoft::MatMulBnb4') return 4;
  const value = node.inputs[slot];
  // The op quantizes its input itself, to uint8.
  if (slot === 0 && node.op.startsWith('com.microsoft::DynamicQuantize')) return 8;
  return value === undefined ? undefined : valueBits(graph, value);
}

function valueBits(graph: Graph, value: ValueId): number | undefined {
  const { producer } = indexOf(graph);
  let at = value;
  for (let maker = producer.get(at); maker; maker = producer.get(at)) {
    const source = maker.inputs[0];
    if (source === undefined) break;
    if (maker.op.endsWith('DequantizeLinear')) return storedBits(graph, packedSource(graph, source));
    if (!carries(maker.op)) break;
    at = source;
  }
  return widthOf(graph, at) ?? widthOf(graph, value);
}

/** The constant that a Cast, and a Mul of whole numbers, make codes of when the file is loaded; else the value itself. */
function packedSource(graph: Graph, value: ValueId): ValueId {
  const { producer } = indexOf(graph);
  let at: ValueId | undefined = value;
  for (let maker = producer.get(at); maker && (maker.op === 'Cast' || maker.op === 'Mul'); maker = producer.get(at)) {
    at = maker.inputs[0];
    if (at === undefined) break;
  }
  return at !== undefined && graph.constants.has(at) ? at : value;
}

function storedBits(graph: Graph, value: ValueId): number | undefined {
  const width = widthOf(graph, value);
  if (width !== undefined) return width;
  // Without type inference the quantizer above still tells: by its zero point, else it is uint8.
  const maker = indexOf(graph).producer.get(value);
  if (!maker?.op.endsWith('QuantizeLinear')) return undefined;
  const zeroPoint = maker.inputs[2];
  return zeroPoint === undefined ? 8 : widthOf(graph, zeroPoint);
}

const widthOf = (graph: Graph, value: ValueId): number | undefined => {
  const info = tensorInfo(graph, value);
  return info && bitsOf(info.dtype) > 0 ? bitsOf(info.dtype) : undefined;
};
