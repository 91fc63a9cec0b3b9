import { createNode, int, type Node } from '@espalier/core';
import { constantBehind } from '../constant-behind.js';
import { matrixWeights } from '../matrix-weights.js';
import { type RowChoice, tableConstants } from '../write-rows.js';
import type { WeightsWriting } from './weights-writing.js';

/**
 * A product with a table that is stored for Gather anyway, with its axes exchanged: the same codes, restored as a whole
 * and turned. Runtimes do that once, when they load the file.
 */
export function writeTiedTable(writing: WeightsWriting, node: Node, choice: RowChoice): void {
  const { graph, writer } = writing;
  const { name } = matrixWeights(graph, node);
  const [codes, scale] = tableConstants(writing, name, choice);
  const { dtype } = constantBehind(graph, name)!.tensor; // the table itself
  const [cast, restored] = [writer.fresh(`${name}_cast`), writer.fresh(`${name}_dequantized`)];
  const attributes = { to: int(dtype === 'float16' ? 10 : 1) };
  writer.emit(
    createNode({ id: writer.fresh(`${cast}_Cast`), op: 'Cast', inputs: [codes], outputs: [cast], attributes }),
    createNode({ id: writer.fresh(`${restored}_Mul`), op: 'Mul', inputs: [cast, scale], outputs: [restored] }),
  );
  if (node.op === 'Gemm') {
    writer.emit({ ...node, inputs: [node.inputs[0], restored, ...node.inputs.slice(2)] });
    return;
  }
  const turned = writer.fresh(`${name}_turned`);
  const transpose = { op: 'Transpose', inputs: [restored], outputs: [turned] };
  writer.emit(createNode({ id: writer.fresh(`${turned}_Transpose`), ...transpose }), {
    ...node,
    inputs: [node.inputs[0], turned],
  });
}
