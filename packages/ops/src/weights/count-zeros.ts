import type { Graph, Tensor, ValueId } from '@espalier/core';
import { eachBlock } from './each-block.js';
import { numbersOf } from './numbers-of.js';
import { type BlockCoding, codingOf, type LinearCoding } from './weight-coding.js';
import { weightRuns } from './weight-runs.js';

/** Elements of a constant that stand for the number zero exactly: for integers, those at their zero point. */
export function countZeros(graph: Graph, value: ValueId): number {
  const tensor = graph.constants.get(value);
  if (!tensor) return 0;
  const coding = codingOf(graph, value);
  if (coding?.kind === 'nbits') return zerosInBlocks(tensor, coding);
  return coding?.zeroPoint ? zerosAtPoint(tensor, coding) : countZeroElements(tensor);
}

/** Elements of a tensor that are the number zero as stored, whatever they stand for. */
export function countZeroElements(tensor: Tensor): number {
  // Both 16-bit formats hold ±0 as nothing but the sign bit.
  if (tensor.dtype === 'float16' || tensor.dtype === 'bfloat16') return countIn(tensor.data, 0x7fff);
  const values = numbersOf(tensor);
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

function countIn(codes: Uint16Array, mask: number): number {
  let zeros = 0;
  for (let i = 0; i < codes.length; i++) if ((codes[i]! & mask) === 0) zeros++;
  return zeros;
}

function zerosAtPoint(tensor: Tensor, coding: LinearCoding): number {
  const codes = numbersOf(tensor);
  const points = numbersOf(coding.zeroPoint!); // the caller looked
  const { length, step, each } = weightRuns(tensor.shape, coding);
  const [stride, inRun] = points.length > 1 ? [1, step] : [0, 0];
  let zeros = 0;
  each((at, first) => {
    for (let i = 0; i < length; i++) {
      const point = points[inRun === 0 ? first * stride : first + Math.floor(i / inRun)];
      if (codes[at + i] === point) zeros++;
    }
  });
  return zeros;
}

function zerosInBlocks(packed: Tensor, coding: BlockCoding): number {
  const { bits, block } = coding;
  const bytes = packed.data as Uint8Array; // MatMulNBits takes uint8 only, checked when the coding was read
  const [perByte, mask] = [8 / bits, (1 << bits) - 1];
  let zeros = 0;
  eachBlock(coding, ({ from, to, group, zero }) => {
    const start = (group * block * bits) / 8;
    for (let i = 0; i < to - from; i++) {
      if (((bytes[start + Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask) === zero) zeros++;
    }
  });
  return zeros;
}
