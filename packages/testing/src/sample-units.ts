import { type Graph, indexOf, type UnitTarget, usesOf, type ValueId } from '@espalier/core';
import { brokenContract } from './errors.js';

/** Which weight makes units, which one sums over them, and the activation in between, by the names of the samples. */
const chains = [
  { made: ['w1', 0], read: ['w3', 1], activation: 'pooled' },
  { made: ['w1', 1], read: ['w2', 0], activation: 'r' },
] as const;

/** The groups of the sample graphs as a driver of structured pruning describes them; none for other graphs. */
export function sampleUnits(graph: Graph): readonly UnitTarget[] {
  return chains.flatMap(({ made, read, activation }) => {
    const [producer, reader] = [made, read].map(([value]) => graph.constants.get(value));
    if (!producer || !reader || !indexOf(graph).producer.has(activation)) return [];
    const units = producer.shape[made[1]]!;
    const indices = Int32Array.from({ length: units }, (_, i) => i);
    const { node } = usesOf(graph, read[0])[0]!; // the samples read their weights
    const place = (value: ValueId) => ({ value, axis: 1, indices, each: 1 });
    const slice = (value: ValueId, axis: number, role: 'produces' | 'sums') => {
      const weight = graph.constants.get(value);
      if (!weight) throw brokenContract('sample units', { expected: `a constant "${value}"`, found: 'none' });
      return { value, weight, axis, indices, each: 1, role, counts: true, readers: usesOf(graph, value) };
    };
    return [
      {
        group: `${made[0]}/${made[1]}`,
        units,
        slices: [slice(made[0], made[1], 'produces'), slice(read[0], read[1], 'sums')],
        inputs: [{ ...place(node.inputs[0]!), node: node.id, slot: 0 }], // layers have an input
        activations: [place(activation)],
      },
    ];
  });
}
