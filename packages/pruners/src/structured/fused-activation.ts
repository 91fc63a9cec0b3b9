import { floats, type Node, textOf } from '@espalier/core';
import { evaluateNode } from '@espalier/ops';

// Those without parameters, which every op spells in a way of its own.
const computed = new Set(['Relu', 'Sigmoid', 'Tanh']);
const keepZero = new Set(['LeakyRelu', 'HardSwish']);

/** Puts constants through the activation that a fused layer ends with; NaN where it cannot be computed. */
export function fusedActivation(node: Node, values: Float64Array, opset: number): void {
  const op = textOf(node, 'activation', '');
  if (op === '') return;
  const one: Node = { id: node.id, op, inputs: ['x'], outputs: ['y'], attributes: new Map() };
  const inputs = [floats(Float32Array.from(values))];
  const result = computed.has(op) ? evaluateNode(one, { inputs, opset })?.[0] : undefined;
  values.forEach((value, i) => {
    if (result?.dtype === 'float32') values[i] = result.data[i]!;
    else if (value !== 0 || !keepZero.has(op)) values[i] = Number.NaN;
  });
}
