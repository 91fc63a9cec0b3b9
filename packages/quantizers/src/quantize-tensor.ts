import { type Grid, pack, roundHalfEven, type Tensor, tensor, toFloats } from '@espalier/core';
import { parametersInvalid } from './errors.js';
import { type Granularity, scaleLayout } from './granularity.js';
import { levelsOf, storageOf } from './grid.js';
import type { Scales } from './scales.js';

/** The map of a tensor to integers. */
export interface TensorQuantization {
  readonly grid: Grid;
  readonly granularity: Granularity;
  readonly scales: Scales;
}

/**
 * q = clamp(round(x / scale) + zeroPoint, low, high), ties to even, the division in float32 as runtimes do it.
 * The result keeps the shape and has the smallest integer type of the grid.
 * `[0.5, 1.5, -3]` with scale 1 and int8 becomes `[0, 2, -3]`.
 * @throws QUANTIZE_PARAMETERS when the number of scales does not fit.
 */
export function quantizeTensor(source: Tensor, { grid, granularity, scales }: TensorQuantization): Tensor {
  return codesTensor(
    quantizeToCodes(toFloats(source), source.shape, { grid, granularity, scales }),
    source.shape,
    grid,
  );
}

/** Integers of a grid in the smallest type that stores it. */
export function codesTensor(
  codes: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array,
  shape: readonly number[],
  grid: Grid,
): Tensor {
  const type = storageOf(grid);
  switch (type) {
    case 'int4':
    case 'uint4':
      return tensor(type, shape, pack(codes, 4));
    case 'int2':
    case 'uint2':
      return tensor(type, shape, pack(codes, 2));
    case 'uint8':
      return tensor(type, shape, codes instanceof Uint8Array ? codes : Uint8Array.from(codes));
    case 'int8':
      return tensor(type, shape, codes instanceof Int8Array ? codes : Int8Array.from(codes));
    case 'int16':
      return tensor(type, shape, codes instanceof Int16Array ? codes : Int16Array.from(codes));
    case 'uint16':
      return tensor(type, shape, codes instanceof Uint16Array ? codes : Uint16Array.from(codes));
  }
}

/** The integers of `quantizeTensor`, one per element and not packed. @throws QUANTIZE_PARAMETERS. */
export function quantizeToCodes(
  values: Float32Array,
  shape: readonly number[],
  { grid, granularity, scales: { scale, zeroPoint } }: TensorQuantization,
): Int8Array | Uint8Array | Int16Array | Uint16Array {
  const layout = scaleLayout(shape, granularity);
  const { outer, length, inner, size, blocks } = layout;
  if (scale.length !== layout.count || zeroPoint.length !== layout.count) {
    throw parametersInvalid(shape, `${layout.count} scales and zero points`, `${scale.length} and ${zeroPoint.length}`);
  }
  const { low, high } = levelsOf(grid);
  const codes = allocateCodes(grid, values.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      const first = size > 0 ? (o * blocks + Math.floor(k / size)) * inner : k;
      const step = size > 0 ? 1 : 0;
      for (let i = 0; i < inner; i++) {
        const group = first + i * step;
        const code = roundHalfEven(Math.fround(values[at]! / scale[group]!)) + zeroPoint[group]!;
        codes[at] = Math.max(low, Math.min(high, code));
        at++;
      }
    }
  }
  return codes;
}

function allocateCodes({ bits, signed }: Grid, count: number): Int8Array | Uint8Array | Int16Array | Uint16Array {
  if (bits > 8) return signed ? new Int16Array(count) : new Uint16Array(count);
  return signed ? new Int8Array(count) : new Uint8Array(count);
}
