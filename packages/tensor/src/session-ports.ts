import { type Graph, type Port, tensorInfo, type ValueId } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { unsupportedType } from './errors.js';

/** The inputs and outputs of a session. @throws EXECUTOR_UNSUPPORTED_TYPE for strings and complex numbers. */
export function portsOf(given: Graph): { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] } {
  const typed = inferShapes(given);
  const inputs = named(typed, typed.inputs);
  const outputs = named(typed, typed.outputs);
  for (const { name, dtype, container } of [...inputs, ...outputs])
    if (!container && (dtype === 'string' || dtype.startsWith('complex')))
      throw unsupportedType(`value "${name}"`, dtype);
  return { inputs, outputs };
}

/** Ports as the graph declares them; sizes that nobody knows are named after the port. */
const named = (graph: Graph, names: readonly ValueId[]): readonly Port[] =>
  names.map((name) => {
    const info = tensorInfo(graph, name) ?? graph.values.get(name);
    return {
      name,
      dtype: info?.dtype ?? 'float32',
      ...(info?.shape ? { shape: info.shape } : {}),
      ...(info && 'container' in info && info.container ? { container: info.container } : {}),
    };
  });
