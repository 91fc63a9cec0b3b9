import {
  type Attribute,
  createGraph,
  createNode,
  createRandom,
  type DType,
  floats,
  type Graph,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';

/** Seeded normal numbers: `normals(1)([2, 3], 0.1)`. */
export function normals(seed: number): (shape: readonly number[], deviation?: number) => Tensor<'float32'> {
  const random = createRandom(seed);
  return (shape, deviation = 1) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return floats(
      Float32Array.from({ length: size }, () => random.normal() * deviation),
      shape,
    );
  };
}

/** `[id, op, inputs, outputs, attributes]`. */
export type Line = readonly [
  id: string,
  op: string,
  inputs: readonly (string | undefined)[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
];

/** A typed graph from lines of nodes; opset 17 unless said otherwise. */
export function network(parts: {
  readonly inputs: Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly (number | string)[] }>>;
  readonly outputs: readonly string[];
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly lines: readonly Line[];
  readonly opset?: number;
}): Graph {
  return inferShapes(
    createGraph({
      inputs: Object.keys(parts.inputs),
      outputs: parts.outputs,
      opsets: new Map([['', parts.opset ?? 17]]),
      values: new Map(Object.entries(parts.inputs)),
      constants: new Map(Object.entries(parts.constants ?? {})),
      nodes: parts.lines.map(([id, op, inputs, outputs, attributes]) =>
        createNode({ id, op, inputs, outputs, ...(attributes ? { attributes } : {}) }),
      ),
    }),
  );
}

/** A float32 input of a shape. */
export const float32 = (...shape: (number | string)[]) => ({ dtype: 'float32' as const, shape });
