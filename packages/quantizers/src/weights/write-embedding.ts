import { int, type Node, type Tensor, tensor, toFloats, type ValueId } from '@espalier/core';
import { perBlock } from '../granularity.js';
import { levelsOf } from '../grid.js';
import { packRows } from '../pack-rows.js';
import { quantizeToCodes } from '../quantize-tensor.js';
import { weightScales } from '../weight-scales.js';
import type { WeightsWriting } from './weights-writing.js';

/**
 * An embedding as com.microsoft::GatherBlockQuantized: the table [rows, size] as uint8 with a scale for every block
 * of a row. Codes are unsigned; packed ones share bytes, so the stored last axis is shorter.
 */
export function writeEmbedding(writing: WeightsWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const name = node.inputs[0]!;
  const table = graph.constants.get(name)!;
  const constants = writing.made(table, 'rows', () => rowConstants(writing, { name, table }));
  const [integers, scale, zeroPoint] = constants;
  writer.emit({
    ...node,
    op: 'com.microsoft::GatherBlockQuantized',
    inputs: [integers, node.inputs[1], scale, zeroPoint],
    attributes: new Map([
      ['bits', int(settings.grid.bits)],
      ['block_size', int(settings.block)],
      ['gather_axis', int(0)],
      ['quantize_axis', int(1)],
    ]),
  });
}

function rowConstants(
  { writer, settings, replaced }: WeightsWriting,
  { name, table }: { readonly name: ValueId; readonly table: Tensor },
): readonly ValueId[] {
  const { grid, block, clip } = settings;
  const { bits } = grid;
  const [rows, size] = table.shape as readonly [number, number];
  const choice = { grid, granularity: perBlock(1, block), clip };
  const scales = weightScales(toFloats(table), table.shape, choice)!; // finite: checked before
  const codes = quantizeToCodes(toFloats(table), table.shape, { ...choice, scales });
  const raise = grid.signed ? -levelsOf(grid).low : 0;
  const unsigned = Uint8Array.from(codes, (code) => code + raise);
  const zero = Uint8Array.from(scales.zeroPoint, (each) => each + raise);
  const blocks = zero.length / rows;
  replaced.add(name);
  return [
    writer.constant(`${name}_quantized`, tensor('uint8', [rows, (size * bits) / 8], packRows(unsigned, rows, bits))),
    writer.constant(`${name}_scale`, tensor('float32', [rows, blocks], scales.scale)),
    writer.constant(
      `${name}_zero_point`,
      tensor('uint8', [rows, Math.ceil((blocks * bits) / 8)], packRows(zero, rows, bits)),
    ),
  ];
}
