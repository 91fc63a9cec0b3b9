import { type Graph, sizeOf, type Tensor, type ValueId } from '@espalier/core';
import { eachBlock } from './each-block.js';
import { numbersOf } from './numbers-of.js';
import { type BlockCoding, codingOf, type LinearCoding, type WeightCoding } from './weight-coding.js';
import { weightRuns } from './weight-runs.js';

/** Real numbers of a weight, row-major, with their shape. */
export interface RealWeight {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** The coding of the constant; undefined for a constant that holds them itself. */
  readonly coding?: WeightCoding;
}

/**
 * The real numbers that a constant stands for: (code - zero point) · scale for integers that a reader dequantizes,
 * the elements themselves otherwise. A weight of MatMulNBits comes back as [N, K], a row for each output.
 * Codes [0, 1, 2, 3], scale 0.5, zero point 1 give [-0.5, 0, 0.5, 1].
 */
export function weightOf(graph: Graph, value: ValueId): RealWeight | undefined {
  const codes = graph.constants.get(value);
  if (!codes) return undefined;
  const coding = codingOf(graph, value);
  if (!coding) return { shape: codes.shape, values: numbersOf(codes) };
  return coding.kind === 'nbits' ? dequantizeBlocks(codes, coding) : dequantizeLinear(codes, coding);
}

function dequantizeLinear(tensor: Tensor, coding: LinearCoding): RealWeight {
  const codes = numbersOf(tensor);
  const scales = coding.scale ? numbersOf(coding.scale) : [1];
  const zeros = coding.zeroPoint ? numbersOf(coding.zeroPoint) : [0];
  const values = new Float32Array(codes.length);
  const { length, step, each } = weightRuns(tensor.shape, coding);
  const [scaleStep, zeroStep] = [scales.length > 1 ? 1 : 0, zeros.length > 1 ? 1 : 0];
  each((at, first) => {
    if (step === 0) {
      const scale = scales[first * scaleStep]!;
      const zero = zeros[first * zeroStep]!;
      for (let i = at; i < at + length; i++) values[i] = (codes[i]! - zero) * scale;
      return;
    }
    for (let i = 0; i < length; i++) {
      const group = first + Math.floor(i / step);
      values[at + i] = (codes[at + i]! - zeros[group * zeroStep]!) * scales[group * scaleStep]!;
    }
  });
  return { shape: tensor.shape, values, coding };
}

function dequantizeBlocks(packed: Tensor, coding: BlockCoding): RealWeight {
  const { rows, columns, bits, block } = coding;
  const scales = numbersOf(coding.scale);
  const values = new Float32Array(rows * columns);
  const bytes = packed.data as Uint8Array; // MatMulNBits takes uint8 only, checked when the coding was read
  const [perByte, mask] = [8 / bits, (1 << bits) - 1];
  eachBlock(coding, ({ from, to, at, group, zero }) => {
    const scale = scales[group]!;
    const start = (group * block * bits) / 8;
    for (let k = from, out = at; k < to; k++, out++) {
      const i = k - from;
      const code = (bytes[start + Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
      values[out] = (code - zero) * scale;
    }
  });
  return { shape: [rows, columns], values, coding };
}

/** A matrix with rows and columns swapped, in tiles so that both sides stay in the cache. */
export function transposedWeight({ shape, values }: RealWeight): RealWeight {
  const [rows, columns] = shape.slice(-2) as [number, number]; // callers give two axes or more
  const planes = sizeOf(shape.slice(0, -2));
  const out = new Float32Array(values.length);
  const tile = 32;
  for (let p = 0; p < planes; p++) {
    const base = p * rows * columns;
    for (let r = 0; r < rows; r += tile) {
      for (let c = 0; c < columns; c += tile) {
        for (let i = r; i < Math.min(rows, r + tile); i++) {
          for (let j = c; j < Math.min(columns, c + tile); j++)
            out[base + j * rows + i] = values[base + i * columns + j]!;
        }
      }
    }
  }
  return { shape: [...shape.slice(0, -2), columns, rows], values: out };
}
