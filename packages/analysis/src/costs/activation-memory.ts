import { type Graph, outerReferences, type ValueId } from '@espalier/core';
import type { ActivationMemory } from './costs.js';

/** The facts for following activations through a graph. */
export interface LivenessFacts {
  /** Values that are not activations. */
  readonly fixed: ReadonlySet<ValueId>;
  /** Bytes of a value; undefined when not known. */
  readonly bytesOf: (value: ValueId) => number | undefined;
}

/**
 * Peak of the bytes of activations that are alive together when nodes run in their given order: a value lives from
 * the node that makes it to its last reader, graph inputs from the start, graph outputs to the end. Buffers shared
 * between input and output of a node, and scratch memory of kernels, are the runtime's own and not counted.
 */
export function activationMemory(graph: Graph, { fixed, bytesOf }: LivenessFacts): ActivationMemory {
  const lastUse = new Map<ValueId, number>();
  graph.nodes.forEach((node, i) => {
    for (const value of [...node.inputs, ...outerReferences(node)]) if (value !== undefined) lastUse.set(value, i);
  });
  for (const value of graph.outputs) lastUse.set(value, graph.nodes.length);
  const ends = new Map<number, ValueId[]>();
  for (const [value, i] of lastUse) {
    const list = ends.get(i);
    if (list) list.push(value);
    else ends.set(i, [value]);
  }

  const unknown: ValueId[] = [];
  const size = (value: ValueId) => (fixed.has(value) ? 0 : (bytesOf(value) ?? 0));
  const note = (value: ValueId) => {
    if (!fixed.has(value) && bytesOf(value) === undefined) unknown.push(value);
  };
  graph.inputs.forEach(note);
  let alive = graph.inputs.reduce((sum, value) => sum + size(value), 0);
  let peak = alive;
  let at: string | undefined;
  graph.nodes.forEach((node, i) => {
    let unread = 0;
    for (const value of node.outputs) {
      if (value === undefined) continue;
      note(value);
      alive += size(value);
      if (!lastUse.has(value)) unread += size(value);
    }
    if (alive > peak) [peak, at] = [alive, node.id];
    alive -= unread;
    for (const value of ends.get(i) ?? []) alive -= size(value);
  });
  return { peakBytes: peak, node: at, unknown };
}
