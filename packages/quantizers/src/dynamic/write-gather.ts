import { createNode, int, type Node, reshaped, type Tensor, toFloats, type ValueId } from '@espalier/core';
import { perChannel, perTensor } from '../granularity.js';
import { int8Weights } from '../grid.js';
import { quantizeTensor } from '../quantize-tensor.js';
import { scaleConstants } from '../scale-constants.js';
import { scalesOf } from '../scales.js';
import { weightRanges } from '../weight-ranges.js';
import type { DynamicWriting } from './dynamic-writing.js';

/**
 * An embedding: rows are looked up as integers and only those restored. One scale per row is looked up beside them;
 * one scale for the table is a constant.
 */
export function writeGather(writing: DynamicWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const name = node.inputs[0]!;
  const table = graph.constants.get(name)!;
  const indices = node.inputs[1]!;
  const [integers, scale] = writing.made(table, 'rows', () => rowConstants(writing, { name, table }));
  const output = node.outputs[0]!;
  const picked = writer.fresh(`${output}_picked`);
  const cast = writer.fresh(`${output}_cast`);
  const rowScale = settings.perChannel ? writer.fresh(`${output}_scale`) : scale!; // both are made
  writer.emit({ ...node, inputs: [integers, indices], outputs: [picked] });
  if (settings.perChannel) {
    const id = writer.fresh(`${node.id}_scale`);
    writer.emit({ ...node, id, inputs: [scale, indices], outputs: [rowScale] });
  }
  writer.emit(
    createNode({
      id: writer.fresh(`${output}_Cast`),
      op: 'Cast',
      inputs: [picked],
      outputs: [cast],
      attributes: { to: int(1) },
    }),
    createNode({ id: writer.fresh(`${output}_Mul`), op: 'Mul', inputs: [cast, rowScale], outputs: [output] }),
  );
}

function rowConstants(
  { writer, settings, replaced }: DynamicWriting,
  { name, table }: { readonly name: ValueId; readonly table: Tensor },
): readonly ValueId[] {
  const granularity = settings.perChannel ? perChannel(0) : perTensor;
  const choice = { grid: int8Weights, granularity, clip: settings.clip };
  const scales = scalesOf(weightRanges(toFloats(table), table.shape, choice)!, int8Weights); // finite: checked before
  const rows = table.shape[0]!;
  const { scale } = scaleConstants(scales, settings.perChannel ? [rows] : [], 'int8');
  const scaleShape = settings.perChannel ? [rows, ...table.shape.slice(1).map(() => 1)] : [];
  replaced.add(name);
  return [
    writer.constant(`${name}_quantized`, quantizeTensor(table, { grid: int8Weights, granularity, scales })),
    writer.constant(`${name}_scale`, reshaped(scale, scaleShape)),
  ];
}
