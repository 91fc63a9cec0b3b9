import type { AxisPort, Graph, ValueId } from '@espalier/core';
import { probeShapes } from './probe-shapes.js';

/** Values with their axes, numbered one after the other. */
export interface NumberedPorts {
  readonly ports: ReadonlyMap<ValueId, AxisPort>;
  /** The total number of coordinates of all axes. */
  readonly size: number;
}

// Axes beyond this are no channels: long signals, and vocabularies of many languages.
const mostIndices = 1 << 22;

/** The values of a graph (or the wanted ones) whose shapes are known. */
export function portsOf(graph: Graph, wanted?: ReadonlySet<ValueId>): NumberedPorts {
  const ports = new Map<ValueId, AxisPort>();
  let size = 0;
  for (const [value, shape] of probeShapes(wanted ? onlyValues(graph, wanted) : graph)) {
    if (shape.some((dim) => dim > mostIndices)) continue;
    const axes = shape.map((dim) => {
      const axis = { start: size, size: dim };
      size += dim;
      return axis;
    });
    const constant = graph.constants.get(value);
    const dims = constant?.shape ?? graph.values.get(value)?.shape ?? shape;
    ports.set(value, { value, shape, dims, axes, constant });
  }
  return { ports, size };
}

const onlyValues = ({ values, constants }: Graph, wanted: ReadonlySet<ValueId>) => ({
  values: new Map([...wanted].flatMap((value) => (values.has(value) ? [[value, values.get(value)!] as const] : []))),
  constants: new Map(
    [...wanted].flatMap((value) => (constants.has(value) ? [[value, constants.get(value)!] as const] : [])),
  ),
});
