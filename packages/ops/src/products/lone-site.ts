import type { AxisPort, AxisSite, Graph, Node, ValueId } from '@espalier/core';
import { siteOf } from '../axes/axis-site.js';
import { createAxisSpace } from '../axes/axis-space.js';

/** The shape of a value, where it is known. */
export type ShapeOf = (value: ValueId) => readonly number[] | undefined;

/** One node by itself, with the shapes that are known of its inputs and outputs: for questions about sizes alone. */
export function loneSite(graph: Graph, node: Node, shapeOf: ShapeOf): AxisSite {
  const ports = new Map<ValueId, AxisPort>();
  let size = 0;
  for (const value of [...node.inputs, ...node.outputs]) {
    const shape = value === undefined || ports.has(value) ? undefined : shapeOf(value);
    if (value === undefined || !shape) continue;
    const axes = shape.map((dim) => {
      size += dim;
      return { start: size - dim, size: dim };
    });
    ports.set(value, { value, shape, dims: shape, axes, constant: graph.constants.get(value) });
  }
  return siteOf({ graph, ports, space: createAxisSpace(0), parts: [], codes: new Map() }, node);
}
