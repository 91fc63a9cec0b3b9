import { type Graph, sizeOf, type Tensor, unpack, type ValueId } from '@espalier/core';
import { numbersOf } from './numbers-of.js';
import { type BlockCoding, codingOf, type WeightCoding } from './weight-coding.js';

/** Real numbers of a weight, row-major, with their shape. */
export interface RealWeight {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/**
 * The real numbers that a constant stands for: (code - zero point) · scale for integers that a reader dequantizes,
 * the elements themselves otherwise. A weight of MatMulNBits comes back as [K, N], as MatMul would read it.
 * Codes [0, 1, 2, 3], scale 0.5, zero point 1 give [-0.5, 0, 0.5, 1].
 */
export function realWeight(graph: Graph, value: ValueId): RealWeight | undefined {
  const tensor = graph.constants.get(value);
  if (!tensor) return undefined;
  const coding = codingOf(graph, value);
  if (!coding) return { shape: tensor.shape, values: numbersOf(tensor) };
  return coding.kind === 'nbits' ? dequantizeBlocks(tensor, coding) : dequantizeLinear(tensor, coding);
}

/** Elements that stand for the number zero exactly. */
export function countZeros(graph: Graph, value: ValueId): number {
  const tensor = graph.constants.get(value);
  if (!tensor) return 0;
  const coding = codingOf(graph, value);
  if (coding?.kind === 'nbits')
    return zerosIn(dequantizeBlocks(tensor, { ...coding, scale: ones(coding.scale) }).values);
  if (coding?.zeroPoint && numbersSome(coding.zeroPoint)) {
    const { scale: _, ...zeroPoints } = coding;
    return zerosIn(dequantizeLinear(tensor, zeroPoints).values);
  }
  return countZeroElements(tensor);
}

/** Elements of a tensor that are the number zero as stored, whatever they stand for. */
export const countZeroElements = (tensor: Tensor): number =>
  tensor.dtype === 'float16' || tensor.dtype === 'bfloat16' ? zerosIn16(tensor.data) : zerosIn(numbersOf(tensor));

function zerosIn(values: ArrayLike<number>): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

// Both 16-bit formats hold ±0 as nothing but the sign bit.
function zerosIn16(codes: Uint16Array): number {
  let zeros = 0;
  for (let i = 0; i < codes.length; i++) if ((codes[i]! & 0x7fff) === 0) zeros++;
  return zeros;
}

const numbersSome = (tensor: Tensor): boolean => zerosIn(numbersOf(tensor)) < sizeOf(tensor.shape);

const ones = (like: Tensor): Tensor => ({
  dtype: 'float32',
  shape: like.shape,
  data: new Float32Array(sizeOf(like.shape)).fill(1),
});

function dequantizeLinear({ shape, ...rest }: Tensor, coding: WeightCoding): RealWeight {
  const codes = numbersOf({ shape, ...rest } as Tensor); // the same tensor, put together again
  const scales = coding.scale ? numbersOf(coding.scale) : [1];
  const zeros = coding.zeroPoint ? numbersOf(coding.zeroPoint) : [0];
  const axis = coding.axis ?? shape.length;
  const outer = sizeOf(shape.slice(0, axis));
  const length = shape[axis] ?? 1;
  const inner = sizeOf(shape.slice(axis + 1));
  const block = coding.block ?? 1;
  const blocks = Math.ceil(length / block);
  const perChannel = block === 1;
  const values = new Float32Array(codes.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      // Per channel there is one scale for each k; in blocks there is one for each position beside the axis too.
      const from = perChannel ? k : (o * blocks + Math.floor(k / block)) * inner;
      for (let i = 0; i < inner; i++, at++) {
        const group = perChannel ? from : from + i;
        const zero = zeros.length === 1 ? zeros[0]! : zeros[group]!;
        values[at] = (codes[at]! - zero) * (scales.length === 1 ? scales[0]! : scales[group]!);
      }
    }
  }
  return { shape, values };
}

function dequantizeBlocks({ data }: Tensor, { rows, columns, bits, block, scale, zeroPoint }: BlockCoding): RealWeight {
  const blocks = Math.ceil(columns / block);
  const scales = numbersOf(scale);
  const zeros = zeroPoint ? blockZeros(zeroPoint, { rows, blocks, bits }) : undefined;
  const packed = data as Uint8Array; // MatMulNBits takes uint8 only
  const values = new Float32Array(rows * columns);
  const codes = codesOf(packed, rows * blocks * block, bits);
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++) {
      const group = n * blocks + Math.floor(k / block);
      const code = codes[n * blocks * block + k]!;
      values[k * rows + n] = (code - (zeros ? zeros[group]! : 2 ** (bits - 1))) * scales[group]!;
    }
  }
  return { shape: [columns, rows], values };
}

const codesOf = (packed: Uint8Array, count: number, bits: number): ArrayLike<number> =>
  bits === 8 ? packed : unpack(packed, count, bits === 2 ? 2 : 4, false);

// Packed [N, ceil(blocks·bits/8)] when uint8, one number for each block otherwise.
function blockZeros(
  zeroPoint: Tensor,
  { rows, blocks, bits }: { readonly rows: number; readonly blocks: number; readonly bits: number },
): ArrayLike<number> {
  if (zeroPoint.dtype !== 'uint8' || bits === 8) return numbersOf(zeroPoint);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const zeros = new Uint8Array(rows * blocks);
  for (let n = 0; n < rows; n++) {
    zeros.set(codesOf(zeroPoint.data.subarray(n * rowBytes, (n + 1) * rowBytes), blocks, bits), n * blocks);
  }
  return zeros;
}
