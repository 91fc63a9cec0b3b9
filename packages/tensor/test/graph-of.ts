import { createGraph, createNode, domainOf, type Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import type { ConformanceCase } from './conformance-cases.js';

/** The graph of one case: inputs x0, x1, ... and outputs y0, y1, ... of one node. */
export function graphOf({ op, inputs, attributes = {}, outputs = 1, opset = 18 }: ConformanceCase): Graph {
  const names = inputs.map((input, i) => (input ? `x${i}` : undefined));
  const out = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return inferShapes(
    createGraph({
      inputs: names.filter((name) => name !== undefined),
      outputs: out,
      nodes: [createNode({ id: 'op', op, inputs: names, outputs: out, attributes })],
      values: new Map(inputs.flatMap((each, i) => (each ? [[`x${i}`, { dtype: each.dtype, shape: each.shape }]] : []))),
      opsets: new Map([['', opset], ...(domainOf(op) ? [[domainOf(op), 1] as const] : [])]),
    }),
  );
}
