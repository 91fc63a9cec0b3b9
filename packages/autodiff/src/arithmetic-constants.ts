import { type Graph, indexOf, type Node, sizeOf, type Tensor, tensorInfo, type ValueId } from '@espalier/core';
import type { Flow, UseAnswer } from './use-answer.js';

interface Operand {
  readonly node: Node;
  readonly slot: number;
  readonly constant: ValueId;
}

/** Whether a constant that is added or subtracted is a bias (or an embedding of positions). */
export function shiftAnswer(flow: Flow, { node, slot, constant }: Operand): UseAnswer {
  const tensor = flow.graph.constants.get(constant)!; // only constants are asked about
  const early = beforeLayers(flow, node, slot);
  if (early) return early;
  if (sizeOf(tensor.shape) === 1) {
    return tensor.shape.length > 0 && ofOneUnit(flow.graph, node, slot)
      ? { role: 'bias' }
      : { reason: 'a single number' };
  }
  if (isMask(tensor)) return { reason: 'a mask' };
  if (isGrid(tensor)) return { reason: 'a grid of whole numbers', settles: true };
  if (behindTable(flow, node, slot))
    return { reason: 'the places of a table that multiplies (anchors)', settles: true };
  return { role: 'bias' };
}

/** Whether a constant that multiplies or divides is the scale of a norm or of a layer. */
export function scaleAnswer(flow: Flow, { node, slot, constant }: Operand): UseAnswer {
  const tensor = flow.graph.constants.get(constant)!; // only constants are asked about
  if (sizeOf(tensor.shape) === 1) return { reason: 'a single number' };
  const early = beforeLayers(flow, node, slot);
  if (early) return early;
  if (node.op === 'Div' && slot === 0) return { reason: 'a dividend' };
  if (isMask(tensor) || isChoice(tensor)) return { reason: 'a mask' };
  if (isGrid(tensor)) return { reason: 'a grid of whole numbers', settles: true };
  if (tensor.shape.filter((size) => size > 1).length > 1) {
    return { reason: 'a table that multiplies (anchors, rotations), not a scale per channel', settles: true };
  }
  return { role: 'norm' };
}

function beforeLayers({ active, behindLayer }: Flow, node: Node, slot: number): UseAnswer | undefined {
  const others = node.inputs.filter((value, i) => i !== slot && value !== undefined);
  if (others.some((value) => behindLayer.has(value!))) return undefined;
  return {
    reason: others.some((value) => active.has(value!))
      ? 'acts on an input before any layer'
      : 'part of what is computed from constants alone',
  };
}

/** Whether it is added to a product with a table that stays: boxes are offsets times sizes plus places. */
const behindTable = ({ graph, settled }: Flow, node: Node, slot: number): boolean =>
  node.inputs.some((value, i) => {
    const producer = i === slot || value === undefined ? undefined : indexOf(graph).producer.get(value);
    return producer?.op === 'Mul' && producer.inputs.some((each) => settled.has(each!));
  });

/** The bias of a layer of one unit: what it is added to is a product whose last size is 1. */
function ofOneUnit(graph: Graph, node: Node, slot: number): boolean {
  return node.inputs.some((value, i) => {
    const producer = i === slot || value === undefined ? undefined : indexOf(graph).producer.get(value);
    return producer?.op === 'MatMul' && tensorInfo(graph, value!)?.shape?.at(-1) === 1;
  });
}

/** Scores that shut places out: entries of -10000 and below, or of 0 and one number of -50 and below alone. */
function isMask({ dtype, data }: Tensor): boolean {
  if (dtype !== 'float32' && dtype !== 'float64') return false;
  let [least, mixed] = [0, false];
  for (const each of data) {
    if (each <= -1e4) return true;
    mixed ||= each > 0 || (each !== 0 && least !== 0 && each !== least);
    if (each < least) least = each;
  }
  return !mixed && least <= -50;
}

/** Zeros and ones, both: a choice of elements. */
const isChoice = ({ dtype, data }: Tensor): boolean =>
  dtype === 'float32' && data.every((each) => each === 0 || each === 1) && data.includes(0) && data.includes(1);

/** Whole numbers of three kinds or more: places of a grid, sizes of anchors. */
function isGrid({ dtype, data }: Tensor): boolean {
  if (dtype !== 'float32' && dtype !== 'float64') return false;
  const kinds = new Set<number>();
  for (const each of data) {
    if (!Number.isInteger(each)) return false;
    if (kinds.size < 3) kinds.add(each);
  }
  return kinds.size > 2;
}
