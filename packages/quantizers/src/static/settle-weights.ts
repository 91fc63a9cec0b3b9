import { type Graph, indexOf, type Tensor, type ValueId } from '@espalier/core';
import { removeDeadNodes } from '@espalier/passes';
import { constantBehind } from '../constant-behind.js';
import { isTable } from '../write-rows.js';

/** A graph whose weights are constants, and which of them are tables that Gather looks up, with their axes exchanged. */
export interface SettledWeights {
  readonly graph: Graph;
  /** The table by the name of the weight. */
  readonly turned: ReadonlyMap<ValueId, ValueId>;
}

const weighted: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/**
 * Weights that Transpose, Cast and the like make of constants become constants themselves. Folding leaves them where
 * others read the same constant; here every reader is rewritten.
 */
export function settleWeights(graph: Graph): SettledWeights {
  const settled = new Map<ValueId, Tensor>();
  const turned = new Map<ValueId, ValueId>();
  for (const { op, inputs } of graph.nodes) {
    if (!weighted.has(op)) continue;
    for (const value of op === 'MatMul' ? inputs : inputs.slice(1)) {
      if (value === undefined || graph.constants.has(value) || graph.outputs.includes(value)) continue;
      const behind = constantBehind(graph, value);
      if (behind?.tensor.dtype !== 'float32') continue;
      settled.set(value, behind.tensor);
      const exchanged = behind.path.join() === 'Transpose' && behind.tensor.shape.length === 2;
      if (exchanged && isTable(graph, behind.source)) turned.set(value, behind.source);
    }
  }
  if (settled.size === 0) return { graph, turned };
  const made = new Set([...settled.keys()].map((value) => indexOf(graph).producer.get(value)));
  const nodes = graph.nodes.filter((node) => !made.has(node));
  const values = new Map([...graph.values].filter(([value]) => !settled.has(value)));
  return {
    graph: removeDeadNodes({ ...graph, nodes, values, constants: new Map([...graph.constants, ...settled]) }),
    turned,
  };
}
