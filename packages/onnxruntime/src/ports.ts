import type { Dim, DType, Graph, Port } from '@espalier/core';
import { dtypes } from '@espalier/core';
import type { InferenceSession } from 'onnxruntime-node';

/**
 * The inputs or outputs of a loaded model, from what the runtime says of them. What it leaves unsaid (sizes without
 * a name) is taken from `graph` where there is one, else named after the port: `x_0`.
 */
export const portsOf = (metadata: readonly InferenceSession.ValueMetadata[], graph?: Graph): readonly Port[] =>
  metadata.map((value) => {
    const { name } = value;
    const known = graph?.values.get(name);
    if (!value.isTensor) {
      // The runtime does not say what a sequence or map holds; the graph may.
      return { name, dtype: known?.dtype ?? 'float32', container: known?.container ?? ['sequence'] };
    }
    const shape = value.shape.map((dim, axis): Dim => {
      if (typeof dim === 'number' && dim >= 0) return dim;
      const named = typeof dim === 'string' && dim !== '' ? dim : undefined;
      return named ?? known?.shape?.[axis] ?? `${name}_${axis}`;
    });
    return { name, dtype: dtypeOf(value.type), shape };
  });

function dtypeOf(type: string): DType {
  return dtypes.find((dtype) => dtype === type) ?? 'float32';
}
