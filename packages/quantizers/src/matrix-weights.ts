import { type DType, type Graph, type Node, type Tensor, tensorInfo, toFloats, type ValueId } from '@espalier/core';
import { isRefusal, type Layer, type LayerWeight, operandsOf } from '@espalier/ops';
import { type ConstantBehind, constantBehind } from './constant-behind.js';
import { isFiniteTensor } from './finite-tensor.js';

/** The constant matrix of a product (MatMul, Gemm), as [rows, columns] = [inputs, outputs] with the factors worked in. */
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
  readonly layer: Layer;
  /** The axes of the weight, and the slot and axis that it meets. */
  readonly axes: LayerWeight & Required<Pick<LayerWeight, 'data'>>;
  readonly weight: ConstantBehind;
}

/** The constant operand of a plain product, the right one if both are constant. */
function operandOf(graph: Graph, node: Node): Operand | undefined {
  const layer = operandsOf(graph, node);
  if (isRefusal(layer) || layer.kind !== 'product' || layer.fused) return undefined;
  for (const { data, ...axes } of [...layer.weights].reverse()) {
    const weight = data && constantBehind(graph, axes.value);
    if (weight) return { layer, axes: { ...axes, data }, weight };
  }
  return undefined;
}

const isLeft = ({ axes }: Operand): boolean => axes.data.slot > axes.slot;

/** Why a product has no matrices to quantize; undefined when `matrixWeights` gives them. */
export function matrixObstacle(graph: Graph, node: Node, dtypes: readonly DType[] = ['float32']): string | undefined {
  const operand = operandOf(graph, node);
  if (!operand) return 'its weights are computed at run time';
  const { layer, axes, weight } = operand;
  const { tensor } = weight;
  const strange = [tensor.dtype, tensorInfo(graph, node.inputs[axes.data.slot] ?? '')?.dtype ?? tensor.dtype];
  if (!dtypes.includes(strange[0]!)) return `its weights are ${strange[0]}, not ${dtypes.join(' or ')}`;
  if (!dtypes.includes(strange[1]!)) return `its input is ${strange[1]}, not ${dtypes.join(' or ')}`;
  if (tensor.shape.length < 2 || tensor.data.length === 0) return 'its weights are not a matrix';
  if (tensor.shape.length > 2 && !keepsRank(graph, node, operand)) return 'the rank of its input is not known';
  if (isLeft(operand) && stackOf(tensor, axes).length > 0) return 'its weights are several matrices, on the left';
  if (!isFiniteTensor(tensor)) return 'its weights hold NaN or infinity';
  if (axes.data.axis !== (isLeft(operand) ? -2 : -1)) return 'its input is transposed';
  const bias = layer.bias === undefined ? undefined : node.inputs[layer.bias];
  if (bias === undefined) return undefined;
  if (isLeft(operand)) return 'its weights are on the left, with a bias';
  if (layer.factors.bias === 1 || graph.constants.get(bias)?.dtype === 'float32') return undefined;
  return 'its bias is computed at run time and scaled';
}

/** Sizes of the axes that number matrices; none where there is one matrix. */
function stackOf({ shape }: Tensor, { stacked }: LayerWeight): readonly number[] {
  const sizes = stacked.map((axis) => shape[axis]!);
  return sizes.every((size) => size === 1) ? [] : sizes;
}

// Leading axes of size 1 can only go where the other operand has as many axes.
function keepsRank(graph: Graph, node: Node, operand: Operand): boolean {
  const { axes, weight } = operand;
  const rank = tensorInfo(graph, node.inputs[axes.data.slot]!)?.shape?.length;
  return stackOf(weight.tensor, axes).length > 0
    ? !isLeft(operand)
    : rank !== undefined && rank >= weight.tensor.shape.length;
}

/** The matrices of a node for which `matrixObstacle` finds none. */
export function matrixWeights(graph: Graph, node: Node): MatrixWeights {
  const operand = operandOf(graph, node)!; // checked by `matrixObstacle`
  const { layer, axes, weight } = operand;
  const { tensor, source, path } = weight;
  const [sums, outputs] = [axes.sums[0]!, axes.outputs[0]!]; // a matrix has one of each
  const flipped = outputs < sums;
  const factor = layer.factors.product;
  const [rows, columns] = [tensor.shape[sums]!, tensor.shape[outputs]!];
  const plain = flipped ? transposed(toFloats(tensor), columns, rows) : toFloats(tensor);
  const bias = layer.bias === undefined ? undefined : node.inputs[layer.bias];
  const transposes = path.filter((op) => op === 'Transpose').length + (flipped ? 1 : 0);
  const moves = path.filter((op) => op !== 'Transpose').length;
  return {
    name: source,
    tensor,
    stack: stackOf(tensor, axes),
    rows,
    columns,
    values: factor === 1 ? plain : plain.map((value) => value * factor),
    data: isLeft(operand) ? 1 : 0,
    key: `${flipped}|${factor}`,
    turned: transposes === 1 && moves === 0 && tensor.shape.length === 2 && factor === 1,
    ...(bias === undefined ? {} : { bias: { value: bias, factor: layer.factors.bias } }),
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
