import { sizeOf, staticShape, tensorInfo, type ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import type { BlockedWriter } from './blocked-writer.js';

/**
 * A number as an operand beside a value of `shape`. Where the last axis has size 1, as in weights of 1x1 convolutions,
 * onnxruntime 1.30 broadcasts operands of fewer axes element by element, a hundred times slower than a number that has
 * as many axes as the value.
 */
export function scalarOperand(w: BlockedWriter, value: ValueId, shape: readonly unknown[]): ValueId {
  const own = staticShape(w.graph, value);
  if (!own || own.length >= shape.length || shape.at(-1) !== 1 || sizeOf(own) !== 1) return value;
  return w.emit('Reshape', [value, w.longs(shape.map(() => 1))]);
}

/** Arithmetic of a value in plain form with a number, with that number as `scalarOperand` has it. */
export const withScalarOperand: BlockedRule = (node, w) => {
  const output = node.outputs[0];
  const shape = output === undefined ? undefined : tensorInfo(w.graph, output)?.shape;
  const [a, b] = node.inputs;
  if (shape?.at(-1) !== 1 || a === undefined || b === undefined) return false;
  const same = (value: ValueId) => tensorInfo(w.graph, value)?.shape?.join() === shape.join();
  const number = (value: ValueId) => {
    const own = staticShape(w.graph, value);
    return own !== undefined && own.length < shape.length && sizeOf(own) === 1;
  };
  if (!(same(a) && number(b)) && !(number(a) && same(b))) return false;
  for (const value of [a, b]) w.plain(value);
  const inputs = [a, b].map((value) => scalarOperand(w, value, shape));
  w.emitAs(output, node.op, inputs, Object.fromEntries(node.attributes));
  return true;
};
