import {
  indexOf,
  type Node,
  type UnitPlace,
  type UnitSlice,
  type UnitTarget,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { movementOf } from '@espalier/ops';
import type { CoupledGraph } from './coupled.js';
import type { Group } from './group.js';

/** The facts about each group that a score of whole units may use. */
export interface UnitTargets {
  readonly net: CoupledGraph;
  readonly groups: readonly Group[];
  /** Whether the weights of a slice count for scores. */
  readonly counts: (slice: Group['slices'][number]) => boolean;
}

// What stands between an activation and the layer that reads it, and sums up or keeps all of it: a part or a repetition
// of an activation is not what the layer reads.
const pooling = new Set(['GlobalAveragePool', 'GlobalMaxPool', 'AveragePool', 'MaxPool', 'ReduceMean']);
const between = (op: string): boolean => pooling.has(op) || movementOf(op) === 'keeps';

/** Looks up for each group its weights, the layers that read its units, and the activations that carry them. */
export function unitTargets({ net, groups, counts }: UnitTargets): ReadonlyMap<Group, UnitTarget> {
  const { graph } = net;
  const locate = placesIn(net, groups);
  const { producer } = indexOf(graph);
  return new Map(
    groups.map((group) => {
      const slices = group.slices.map(
        (slice): UnitSlice => ({
          ...slice,
          weight: net.scored(slice.value) ?? graph.constants.get(slice.value)!, // slices are of constants
          counts: counts(slice),
          readers: usesOf(graph, slice.value),
        }),
      );
      const inputs = inputsOf(slices, (value) => (graph.constants.has(value) ? undefined : locate(group, value)));
      const activations = new Map<ValueId, UnitPlace>();
      for (const input of inputs) {
        const place = beforePooling(
          input,
          (value) => producer.get(value),
          (value) => locate(group, value),
        );
        activations.set(place.value, place);
      }
      const target = { group: group.id, units: group.units, slices, inputs, activations: [...activations.values()] };
      return [group, target];
    }),
  );
}

/** Where the layers that sum over the units read them: beside the weights whose rows or columns are theirs. */
function inputsOf(
  slices: readonly UnitSlice[],
  locate: (value: ValueId) => UnitPlace | undefined,
): UnitTarget['inputs'] {
  const inputs = new Map<string, UnitTarget['inputs'][number]>();
  for (const { role, readers, value: weight } of slices) {
    if (role !== 'sums') continue;
    for (const { node } of readers) {
      node.inputs.forEach((value, slot) => {
        const place = value === undefined || value === weight ? undefined : locate(value);
        if (place) inputs.set(`${slot} ${node.id}`, { ...place, node: node.id, slot });
      });
    }
  }
  return [...inputs.values()];
}

function beforePooling(
  { value, axis, indices, each }: UnitPlace,
  producerOf: (value: ValueId) => Node | undefined,
  locate: (value: ValueId) => UnitPlace | undefined,
): UnitPlace {
  let place: UnitPlace = { value, axis, indices, each };
  for (;;) {
    const node = producerOf(place.value);
    const source = node && between(node.op) ? node.inputs[0] : undefined;
    const before = source === undefined ? undefined : locate(source);
    if (!before) return place;
    place = before;
  }
}

/** Finds the axis of a value whose indices are the units of a group; undefined where there is none. */
function placesIn(
  { relations: { space, ports }, roots }: CoupledGraph,
  groups: readonly Group[],
): (group: Group, value: ValueId) => UnitPlace | undefined {
  const groupAt = new Int32Array(space.size).fill(-1);
  const unitAt = new Int32Array(space.size);
  const numbers = new Map(groups.map((group, number) => [group, number]));
  for (const [group, number] of numbers) {
    roots.get(group)!.forEach((root, unit) => {
      groupAt[root] = number; // every group has roots
      unitAt[root] = unit;
    });
  }
  return (group, value) => {
    const number = numbers.get(group)!; // one of those above
    for (const [axis, { start, size }] of (ports.get(value)?.axes ?? []).entries()) {
      const hits: number[] = [];
      for (let i = 0; i < size; i++) if (groupAt[space.find(start + i)] === number) hits.push(i);
      if (hits.length === 0) continue;
      const each = hits.length / group.units;
      const next = new Int32Array(group.units);
      const indices = new Int32Array(hits.length);
      for (const i of hits) {
        const unit = unitAt[space.find(start + i)]!;
        indices[unit * each + next[unit]!++] = i;
      }
      return { value, axis, indices, each };
    }
    return undefined;
  };
}
