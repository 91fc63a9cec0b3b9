import {
  type DType,
  floatOf,
  type Graph,
  intOf,
  type Node,
  type Tensor,
  tensorInfo,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { type ConstantBehind, constantBehind } from './constant-behind.js';
import { isFiniteTensor } from './finite-tensor.js';

/** The constant matrix of a MatMul or Gemm, as [rows, columns] = [inputs, outputs] with the factors worked in. */
export interface MatrixWeights {
  /** The constant, or the one behind what is read. */
  readonly name: ValueId;
  /** The constant as the node reads it. */
  readonly tensor: Tensor;
  /** Sizes of the axes that number matrices; none for a single matrix. */
  readonly stack: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Row-major [...stack, rows, columns]. */
  readonly values: Float32Array;
  /** The slot of what it is multiplied with: 0, or 1 where the constant stands on the left. */
  readonly data: 0 | 1;
  /** Equal for equal matrices of one tensor: whether it was transposed, and its factor. */
  readonly key: string;
  /** Whether it is the constant with its two axes exchanged, and nothing else. */
  readonly turned: boolean;
  /** The bias of a Gemm, and the factor it has. */
  readonly bias?: { readonly value: ValueId; readonly factor: number };
}

interface Operand {
  readonly data: 0 | 1;
  readonly weight: ConstantBehind;
}

function operandOf(graph: Graph, node: Node): Operand | undefined {
  const right = constantBehind(graph, node.inputs[1]);
  if (right) return { data: 0, weight: right };
  const left = node.op === 'MatMul' ? constantBehind(graph, node.inputs[0]) : undefined;
  return left && { data: 1, weight: left };
}

/** Why a MatMul or Gemm has no matrices to quantize; undefined when `matrixWeights` gives them. */
export function matrixObstacle(graph: Graph, node: Node, dtypes: readonly DType[] = ['float32']): string | undefined {
  const operand = operandOf(graph, node);
  if (!operand) return 'its weights are computed at run time';
  const { tensor } = operand.weight;
  const strange = [tensor.dtype, tensorInfo(graph, node.inputs[operand.data] ?? '')?.dtype ?? tensor.dtype];
  if (!dtypes.includes(strange[0]!)) return `its weights are ${strange[0]}, not ${dtypes.join(' or ')}`;
  if (!dtypes.includes(strange[1]!)) return `its input is ${strange[1]}, not ${dtypes.join(' or ')}`;
  if (tensor.shape.length < 2 || tensor.data.length === 0) return 'its weights are not a matrix';
  if (tensor.shape.length > 2 && !keepsRank(graph, node, operand)) return 'the rank of its input is not known';
  if (operand.data === 1 && tensor.shape.slice(0, -2).some((size) => size !== 1)) {
    return 'its weights are several matrices, on the left';
  }
  if (!isFiniteTensor(tensor)) return 'its weights hold NaN or infinity';
  if (node.op !== 'Gemm') return undefined;
  if (intOf(node, 'transA', 0) !== 0) return 'its first input is transposed';
  const bias = node.inputs[2];
  if (bias === undefined || floatOf(node, 'beta', 1) === 1) return undefined;
  return graph.constants.get(bias)?.dtype === 'float32' ? undefined : 'its bias is computed at run time and scaled';
}

// Leading axes of size 1 can only go where the other operand has as many axes.
function keepsRank(graph: Graph, node: Node, { data, weight }: Operand): boolean {
  const rank = tensorInfo(graph, node.inputs[data]!)?.shape?.length;
  return weight.tensor.shape.slice(0, -2).some((size) => size !== 1)
    ? data === 0
    : rank !== undefined && rank >= weight.tensor.shape.length;
}

/** The matrices of a node for which `matrixObstacle` finds none. */
export function matrixWeights(graph: Graph, node: Node): MatrixWeights {
  const { data, weight } = operandOf(graph, node)!; // checked by `matrixObstacle`
  const { tensor, source, path } = weight;
  const gemm = node.op === 'Gemm';
  const flipped = gemm ? intOf(node, 'transB', 0) !== 0 : data === 1;
  const factor = gemm ? floatOf(node, 'alpha', 1) : 1;
  const leading = tensor.shape.slice(0, -2);
  const stack = leading.every((size) => size === 1) ? [] : leading;
  const [first, second] = tensor.shape.slice(-2) as [number, number]; // at least two axes
  const [rows, columns] = flipped ? [second, first] : [first, second];
  const plain = flipped ? transposed(toFloats(tensor), first, second) : toFloats(tensor);
  const bias = gemm ? node.inputs[2] : undefined;
  const transposes = path.filter((op) => op === 'Transpose').length + (flipped ? 1 : 0);
  const moves = path.filter((op) => op !== 'Transpose').length;
  return {
    name: source,
    tensor,
    stack,
    rows,
    columns,
    values: factor === 1 ? plain : plain.map((value) => value * factor),
    data,
    key: `${flipped}|${factor}`,
    turned: transposes === 1 && moves === 0 && tensor.shape.length === 2 && factor === 1,
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
