import type { Dim, Graph, ValueId } from '@espalier/core';
import { bindDim } from '../shapes/dim.js';

// Every named size gets one of these: 2 tells a batch from a size of one; the others are sizes of images and signals.
const sizes = [2, 64, 224, 512, 1024, 16000];

/**
 * The shapes of all values as numbers, with stand-ins for sizes that have names: how axes relate does not depend on
 * them. Values without a known rank, and those with sizes that no stand-in fits, are left out.
 */
export function probeShapes(graph: Pick<Graph, 'values' | 'constants'>): ReadonlyMap<ValueId, readonly number[]> {
  const shapes = new Map<ValueId, readonly number[]>();
  const open: (readonly [ValueId, readonly Dim[]])[] = [];
  for (const [value, { shape }] of graph.constants) shapes.set(value, shape);
  for (const [value, { shape, container }] of graph.values) {
    if (!shape || container || shapes.has(value)) continue;
    if (shape.every((dim): dim is number => typeof dim === 'number')) shapes.set(value, shape);
    else open.push([value, shape]);
  }
  let best: readonly (readonly [ValueId, readonly number[]])[] = [];
  for (const size of sizes) {
    const found = open.flatMap(([value, shape]) => {
      const bound = shape.map((dim) => boundTo(dim, size));
      return bound.every((dim) => dim !== undefined && dim > 0) ? [[value, bound as number[]] as const] : []; // checked here
    });
    if (found.length > best.length) best = found;
    if (best.length === open.length) break;
  }
  for (const [value, shape] of best) shapes.set(value, shape);
  return shapes;
}

function boundTo(dim: Dim, size: number): number | undefined {
  if (typeof dim === 'number') return dim;
  const bound = bindDim(dim, everyNameIs(size));
  return typeof bound === 'number' ? bound : undefined;
}

/** A map that answers every name, but no expression made of names; `bindDim` only asks. */
const everyNameIs = (size: number): ReadonlyMap<string, Dim> => {
  const map = new Map<string, Dim>();
  map.get = (name) => (/[*(]| [+-] /.test(name) ? undefined : size);
  return map;
};
