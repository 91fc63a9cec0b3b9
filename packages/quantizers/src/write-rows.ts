import {
  createNode,
  type DType,
  fromNumbers,
  type Graph,
  int,
  intOf,
  longs,
  type Node,
  toFloats,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { constantBehind } from './constant-behind.js';
import { isFiniteTensor } from './finite-tensor.js';
import { perChannel, perTensor } from './granularity.js';
import { int8Weights } from './grid.js';
import type { NodeWriting } from './node-by-node.js';
import { quantizeTensor } from './quantize-tensor.js';
import { scalesOf } from './scales.js';
import { type WeightClip, weightRanges } from './weight-ranges.js';

/** The parts of a graph's writing that tables need. */
export type TableWriting = Pick<NodeWriting, 'graph' | 'writer' | 'replaced' | 'made'>;

/** The form in which tables are stored. */
export interface RowChoice {
  readonly clip: WeightClip;
  /** One scale per row, or one for the table. */
  readonly perRow: boolean;
}

const oneAxis = longs([-1]);

/** Tables with fewer elements, or shorter rows, are not worth two more nodes. */
const smallestTable = 1024;
const shortestRow = 8;

/** Why a Gather has no table of weights to store; undefined when `writeRows` can write it. */
export function rowsObstacle(graph: Graph, node: Node, dtypes: readonly DType[] = ['float32']): string | undefined {
  const table = constantBehind(graph, node.inputs[0])?.tensor;
  if (!table || !dtypes.includes(table.dtype)) return 'it has no table of weights';
  if (table.shape.length < 2 || table.data.length < Math.max(smallestTable, shortestRow * table.shape[0]!))
    return 'its table is small';
  if (intOf(node, 'axis', 0) !== 0) return 'it does not look up rows';
  return isFiniteTensor(table) ? undefined : 'its table holds NaN or infinity';
}

/** Whether some Gather looks up rows of a constant, so that it is stored as a table. */
export const isTable = (graph: Graph, value: ValueId): boolean =>
  usesOf(graph, value).some(
    ({ node, slot }) => node.op === 'Gather' && slot === 0 && !rowsObstacle(graph, node, ['float32', 'float16']),
  );

/**
 * An embedding: rows are looked up as integers and only those restored. One scale per row is looked up beside them;
 * one scale for the table is a constant.
 */
export function writeRows(writing: TableWriting, node: Node, choice: RowChoice): void {
  writing.writer.emit(rowsNode(writing, node, choice));
}

/** The same without the last node, the one that writes the restored rows: the caller emits it. */
export function rowsNode(writing: TableWriting, node: Node, choice: RowChoice): Node {
  const { graph, writer } = writing;
  const [codes, scale] = tableConstants(writing, node.inputs[0]!, choice);
  const indices = node.inputs[1]!;
  const output = node.outputs[0]!;
  const picked = writer.fresh(`${output}_picked`);
  const cast = writer.fresh(`${output}_cast`);
  const rowScale = choice.perRow ? writer.fresh(`${output}_scale`) : scale;
  writer.emit({ ...node, inputs: [codes, indices], outputs: [picked] });
  if (choice.perRow) {
    const id = writer.fresh(`${node.id}_scale`);
    writer.emit({ ...node, id, inputs: [scale, indices], outputs: [rowScale] });
  }
  writer.emit(
    createNode({
      id: writer.fresh(`${output}_Cast`),
      op: 'Cast',
      inputs: [picked],
      outputs: [cast],
      attributes: { to: int(constantBehind(graph, node.inputs[0])!.tensor.dtype === 'float16' ? 10 : 1) }, // asked for before
    }),
  );
  return createNode({ id: writer.fresh(`${output}_Mul`), op: 'Mul', inputs: [cast, rowScale], outputs: [output] });
}

/** Codes int8 in the shape of the table, and scales [rows, 1, ...] or one of shape []. */
export function tableConstants(
  { graph, writer, replaced, made }: TableWriting,
  name: ValueId,
  { clip, perRow }: RowChoice,
): readonly [codes: ValueId, scale: ValueId] {
  const { tensor: table, source } = constantBehind(graph, name)!; // asked for before
  replaced.add(source);
  const [codes, scale] = made(table, 'table', () => {
    const granularity = perRow ? perChannel(0) : perTensor;
    const ranges = weightRanges(toFloats(table), table.shape, { grid: int8Weights, granularity, clip })!; // finite: checked before
    const scales = scalesOf(ranges, int8Weights);
    const rows = table.shape[0]!;
    const shape = perRow ? [rows, ...table.shape.slice(1).map(() => 1)] : [];
    return [
      writer.constant(`${name}_quantized`, quantizeTensor(table, { grid: int8Weights, granularity, scales })),
      writer.constant(`${name}_scale`, fromNumbers(table.dtype, shape, scales.scale)),
    ];
  });
  return [codes!, scale!]; // both are made
}

/**
 * A stored table as the weight of a product: its codes and scales [rows] (or one), made from the constants of the
 * table, so that it is stored once. Runtimes compute both when they load the file.
 */
export function tableMatrix(
  writing: TableWriting,
  name: ValueId,
  choice: RowChoice,
): readonly [codes: ValueId, scale: ValueId] {
  const { writer } = writing;
  const [codes, scale] = tableConstants(writing, name, choice);
  if (!choice.perRow) return [codes, scale];
  const [axis] = writing.made(oneAxis, 'shape', () => [writer.constant('one_axis', oneAxis)]);
  const flat = writer.fresh(`${name}_scales`);
  writer.emit(
    createNode({ id: writer.fresh(`${flat}_Reshape`), op: 'Reshape', inputs: [scale, axis], outputs: [flat] }),
  );
  return [codes, flat];
}

/** The same with the axes of the table exchanged: codes [size, rows]. */
export function turnedTable(
  writing: TableWriting,
  name: ValueId,
  choice: RowChoice,
): readonly [codes: ValueId, scale: ValueId] {
  const { writer } = writing;
  const [codes, scale] = tableMatrix(writing, name, choice);
  const turned = writer.fresh(`${name}_turned`);
  writer.emit(
    createNode({ id: writer.fresh(`${turned}_Transpose`), op: 'Transpose', inputs: [codes], outputs: [turned] }),
  );
  return [turned, scale];
}
