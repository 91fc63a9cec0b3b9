import {
  createNode,
  fromNumbers,
  type Grid,
  type Node,
  type Rounded,
  type Tensor,
  tensor,
  type ValueId,
} from '@espalier/core';
import { perChannel, perTensor } from '../granularity.js';
import { storageOf } from '../grid.js';
import { type MatrixWeights, matrixWeights, transposed } from '../matrix-weights.js';
import { codesTensor, quantizeTensor } from '../quantize-tensor.js';
import { gridChoice, scalesOfRounded } from '../rounded/grid-choice.js';
import type { GridChoice } from '../rounded/round-node.js';
import { scaleConstants } from '../scale-constants.js';
import { type Scales, scalesOf } from '../scales.js';
import { weightRanges } from '../weight-ranges.js';
import { isTable, turnedTable } from '../write-rows.js';
import { byChannel } from './dynamic-settings.js';
import { biasOperand, type DynamicWriting, quantizedActivation, restoreSums } from './dynamic-writing.js';

/**
 * MatMul or Gemm as DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul (-> Add), which runtimes fuse (onnxruntime:
 * DynamicQuantizeMatMul). The weight is stored as [inputs, outputs] with one scale per output; on the left as
 * [outputs, inputs] of uint8, because no kernel multiplies int8 by uint8.
 */
export function writeMatMul(writing: DynamicWriting, node: Node): void {
  const { writer } = writing;
  const matrix = matrixWeights(writing.graph, node);
  const [integers, weightScale, zeroPoint] = matrixConstants(writing, matrix, node);
  const activation = quantizedActivation(writing, node.inputs[matrix.data]!);
  const output = node.outputs[0]!;
  const product = matrix.bias ? writer.fresh(`${output}_product`) : output;
  const sums = writer.fresh(`${output}_sums`);
  const inputs =
    matrix.data === 0
      ? [activation.integers, integers, activation.zeroPoint, zeroPoint]
      : [integers, activation.integers, zeroPoint, activation.zeroPoint];
  writer.emit(
    createNode({ id: node.id, op: 'MatMulInteger', inputs, outputs: [sums] }),
    ...restoreSums(writer, { sums, activation, weightScale, output: product }),
  );
  if (matrix.bias) {
    const bias = biasOperand(writing, matrix.bias);
    writer.emit(
      createNode({ id: writer.fresh(`${node.id}_Add`), op: 'Add', inputs: [product, bias], outputs: [output] }),
    );
  }
}

type Written = readonly [integers: ValueId, scale: ValueId, zeroPoint: ValueId | undefined];

function matrixConstants(writing: DynamicWriting, matrix: MatrixWeights, node: Node): Written {
  const { graph, settings, made, replaced, writer } = writing;
  const { name } = matrix;
  const choice = { clip: settings.clip, perRow: byChannel(settings, 'MatMulInteger') };
  if (
    matrix.turned &&
    settings.embeddings &&
    settings.weights.bits === 8 &&
    settings.weights.signed &&
    isTable(graph, name)
  ) {
    const [turned, scale] = turnedTable(writing, name, choice);
    return [turned, scale, undefined];
  }
  replaced.add(name);
  const [codes, scale, zeroPoint] = made(matrix.tensor, `matrix|${matrix.data}|${matrix.key}`, () => {
    const parts = quantizedMatrix(matrix, node, writing);
    return [
      writer.constant(`${name}_quantized`, parts.codes),
      writer.constant(`${name}_scale`, parts.scale),
      writer.constant(`${name}_zero_point`, parts.zeroPoint),
    ];
  });
  return [codes!, scale!, zeroPoint]; // all three are made
}

interface QuantizedMatrix {
  readonly codes: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
}

function quantizedMatrix(
  { stack, rows, columns, values, data }: MatrixWeights,
  node: Node,
  { graph, settings, round }: DynamicWriting,
): QuantizedMatrix {
  const grid = settings.weights;
  const channels = byChannel(settings, 'MatMulInteger');
  const granularity = channels ? perChannel(stack.length + 1) : perTensor;
  const shape = [...stack, rows, columns];
  const ranges = weightRanges(values, shape, { grid, granularity, clip: settings.clip })!; // finite: checked before
  const covering = scalesOf(ranges, grid);
  const rounded = roundedMatrix(
    { rows, columns, stack },
    { grid, scales: covering, round: (choice) => round(graph, node, choice) },
  );
  const scales = rounded?.scales ?? covering;
  const codes = rounded?.codes ?? quantizeTensor(tensor('float32', shape, values), { grid, granularity, scales });
  const { scale, zeroPoint } = scaleConstants(scales, channels ? [columns] : [], storageOf(grid));
  if (data === 0) return { codes, scale, zeroPoint: stack.length === 0 ? zeroPoint : first(zeroPoint) };
  const turned = transposed(codes.data as Int8Array | Uint8Array, rows, columns); // 8 bits
  return {
    codes: tensor(
      'uint8',
      [columns, rows],
      grid.signed ? Uint8Array.from(turned, (code) => code + 128) : Uint8Array.from(turned),
    ),
    scale: channels ? tensor('float32', [columns, 1], scales.scale) : scale,
    zeroPoint: tensor('uint8', [], Uint8Array.of(128)),
  };
}

interface MatrixRounding {
  readonly grid: Grid;
  readonly scales: Scales;
  round(choice: GridChoice): Rounded | undefined;
}

/** The rounded codes [rows, columns] of a single matrix; undefined where each weight goes to the nearest point. */
function roundedMatrix(
  { rows, columns, stack }: Pick<MatrixWeights, 'rows' | 'columns' | 'stack'>,
  { grid, scales, round }: MatrixRounding,
): { readonly codes: Tensor; readonly scales: Scales } | undefined {
  if (stack.length > 0) return undefined;
  const shared = scales.scale.length === 1;
  const places = { rows: columns, groups: 1, group: rows, at: (row: number) => (shared ? 0 : row) };
  const free = shared ? undefined : { shift: false, negative: false };
  const rounded = round(gridChoice(scales, places, { grid, free }));
  if (!rounded) return undefined;
  const chosen = scalesOfRounded(scales, rounded, { places, grid });
  const codes = new Int32Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    const zero = chosen.zeroPoint[places.at(column)]!;
    for (let row = 0; row < rows; row++) codes[row * columns + column] = rounded.codes[column * rows + row]! + zero;
  }
  return { codes: codesTensor(codes, [rows, columns], grid), scales: chosen };
}

/** One zero point for all: a kernel takes no more for a stack of matrices, and a symmetric grid has the same in each. */
const first = ({ dtype, data }: Tensor): Tensor => fromNumbers(dtype, [], [Number(data[0])]);
