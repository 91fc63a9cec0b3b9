import { fromNumbers, type Graph, intOf, type Node, type Tensor, tensor, toFloats, type ValueId } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { matrixObstacle, matrixWeights } from '../matrix-weights.js';

/** The weight of a Conv, Gemm or MatMul as rows: one for each output, over the inputs that it multiplies. */
export interface LayerMatrix {
  readonly node: Node;
  /** The slot of the weight, and that of what it multiplies. */
  readonly slot: number;
  readonly data: number;
  /** Groups of a convolution; each reads inputs of its own. */
  readonly groups: number;
  /** Outputs of all groups. */
  readonly rows: number;
  /** Inputs of one group. */
  readonly size: number;
  /** Row-major [rows, size], factors of a Gemm worked in. */
  weight(): Float64Array;
  /** The shape in which the node reads it. */
  readonly shape: readonly number[];
  /** Such rows in the order of the weight. */
  arranged(rows: Int32Array): Int32Array;
  /** The weight as the node would read it, made from such rows. */
  restored(rows: Float64Array): Tensor;
  /** The bias that the node adds, [rows] or one number, with its factor worked in. Undefined where it is not constant. */
  readonly bias: Float64Array | undefined;
}

/** The matrix of a layer; undefined where a node has none, several, or one that holds NaN or infinity. */
export function layerMatrix(graph: Graph, node: Node): LayerMatrix | undefined {
  if (node.op === 'Conv') return convMatrix(graph, node);
  if (node.op !== 'MatMul' && node.op !== 'Gemm') return undefined;
  if (matrixObstacle(graph, node, ['float32', 'float16']) !== undefined) return undefined;
  const matrix = matrixWeights(graph, node);
  if (matrix.stack.length > 0) return undefined;
  const { rows: size, columns: rows, values, data, key } = matrix;
  const factor = Number(key.split('|')[1]);
  const flipped = key.startsWith('true');
  return {
    node,
    slot: 1 - data,
    data,
    groups: 1,
    rows,
    size,
    weight: () => turned(values, new Float64Array(values.length), size),
    shape: matrix.tensor.shape,
    arranged: (from) => (flipped ? from : turned(from, new Int32Array(from.length), rows)),
    restored(from) {
      const arranged = flipped ? from : turned(from, new Float64Array(from.length), rows);
      return fromNumbers(
        matrix.tensor.dtype,
        matrix.tensor.shape,
        arranged.map((value) => value / factor),
      );
    },
    bias: biasOf(graph, matrix.bias?.value, matrix.bias?.factor ?? 1),
  };
}

function convMatrix(graph: Graph, node: Node): LayerMatrix | undefined {
  const weight = graph.constants.get(node.inputs[1] ?? '');
  if (weight?.dtype !== 'float32' || weight.shape.length < 3 || !isFiniteTensor(weight)) return undefined;
  const [rows, ...rest] = weight.shape as readonly [number, ...number[]];
  const size = rest.reduce((product, dim) => product * dim, 1);
  const groups = intOf(node, 'group', 1);
  if (size === 0 || rows === 0 || rows % groups !== 0) return undefined;
  return {
    node,
    slot: 1,
    data: 0,
    groups,
    rows,
    size,
    weight: () => Float64Array.from(toFloats(weight)),
    shape: weight.shape,
    arranged: (from) => from,
    restored: (from) => tensor('float32', weight.shape, Float32Array.from(from)),
    bias: biasOf(graph, node.inputs[2], 1),
  };
}

function biasOf(graph: Graph, value: ValueId | undefined, factor: number): Float64Array | undefined {
  if (value === undefined) return new Float64Array(1);
  const bias = graph.constants.get(value);
  const vector = bias?.shape.every((size, axis) => size === 1 || axis === bias.shape.length - 1);
  return bias && vector ? Float64Array.from(toFloats(bias), (each) => each * factor) : undefined;
}

/** Writes [rows, columns] into `out` as [columns, rows]. */
function turned<A extends Int32Array | Float64Array>(source: Float32Array | A, out: A, rows: number): A {
  const columns = source.length / rows;
  const tile = 32;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const [r1, c1] = [Math.min(rows, r0 + tile), Math.min(columns, c0 + tile)];
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) out[c * rows + r] = source[r * columns + c]!;
    }
  }
  return out;
}
