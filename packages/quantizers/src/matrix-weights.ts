import { floatOf, type Graph, intOf, type Node, type Tensor, toFloats, type ValueId } from '@espalier/core';
import { isFiniteTensor } from './finite-tensor.js';

/** The constant matrix of a MatMul or Gemm, as [rows, columns] = [inputs, outputs] with the factors worked in. */
export interface MatrixWeights {
  readonly name: ValueId;
  /** The constant as it stands in the graph. */
  readonly tensor: Tensor;
  readonly rows: number;
  readonly columns: number;
  /** Row-major [rows, columns]. */
  readonly values: Float32Array;
  /** Equal for equal matrices of one constant: whether it was transposed, and its factor. */
  readonly key: string;
  /** The bias of a Gemm, and the factor it has. */
  readonly bias?: { readonly value: ValueId; readonly factor: number };
}

/** Why a MatMul or Gemm has no matrix to quantize; undefined when `matrixWeights` gives one. */
export function matrixObstacle(graph: Graph, node: Node): string | undefined {
  const weight = graph.constants.get(node.inputs[1] ?? '');
  if (!weight) return 'its weights are computed at run time';
  if (weight.dtype !== 'float32') return `its weights are ${weight.dtype}, not float32`;
  if (weight.shape.length !== 2 || weight.data.length === 0) return 'its weights are not one matrix';
  if (!isFiniteTensor(weight)) return 'its weights hold NaN or infinity';
  if (node.op !== 'Gemm') return undefined;
  if (intOf(node, 'transA', 0) !== 0) return 'its first input is transposed';
  const bias = node.inputs[2];
  if (bias === undefined || floatOf(node, 'beta', 1) === 1) return undefined;
  return graph.constants.get(bias)?.dtype === 'float32' ? undefined : 'its bias is computed at run time and scaled';
}

/** The matrix of a node for which `matrixObstacle` finds none. */
export function matrixWeights(graph: Graph, node: Node): MatrixWeights {
  const name = node.inputs[1]!;
  const weight = graph.constants.get(name)!;
  const gemm = node.op === 'Gemm';
  const flipped = gemm && intOf(node, 'transB', 0) !== 0;
  const factor = gemm ? floatOf(node, 'alpha', 1) : 1;
  const [first, second] = weight.shape as readonly [number, number];
  const [rows, columns] = flipped ? [second, first] : [first, second];
  const plain = flipped ? transposed(toFloats(weight), first, second) : toFloats(weight);
  const bias = gemm ? node.inputs[2] : undefined;
  return {
    name,
    tensor: weight,
    rows,
    columns,
    values: factor === 1 ? plain : plain.map((value) => value * factor),
    key: `${flipped}|${factor}`,
    ...(bias === undefined ? {} : { bias: { value: bias, factor: floatOf(node, 'beta', 1) } }),
  };
}

const tile = 32; // rows and columns moved together, so that reads and writes stay in the cache

/** [rows, columns] to [columns, rows]. */
export function transposed<A extends Float32Array | Int8Array | Uint8Array>(
  source: A,
  rows: number,
  columns: number,
): A {
  const out = source.slice();
  for (let r0 = 0; r0 < rows; r0 += tile) {
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const r1 = Math.min(rows, r0 + tile);
      const c1 = Math.min(columns, c0 + tile);
      for (let r = r0; r < r1; r++) {
        for (let c = c0; c < c1; c++) out[c * rows + r] = source[r * columns + c]!;
      }
    }
  }
  return out as A; // slice keeps the kind of array
}
