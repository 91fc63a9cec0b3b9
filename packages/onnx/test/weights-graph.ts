import { createGraph, createNode, floats, type Graph } from '@espalier/core';

/** A chain of additions, each with a float32 weight of the given number of elements. */
export function weightsGraph(counts: readonly number[]): Graph {
  const name = (i: number) => `weight ${i}`;
  return createGraph({
    inputs: ['v0'],
    outputs: [`v${counts.length}`],
    constants: new Map(
      counts.map((count, i) => [name(i), floats(Float32Array.from({ length: count }, (_, j) => i + j))]),
    ),
    nodes: counts.map((_, i) =>
      createNode({ id: `add ${i}`, op: 'Add', inputs: [`v${i}`, name(i)], outputs: [`v${i + 1}`] }),
    ),
    values: new Map([
      ['v0', { dtype: 'float32', shape: ['n'] }],
      [`v${counts.length}`, { dtype: 'float32', shape: ['n'] }],
    ]),
    provenance: { irVersion: 8 },
  });
}
