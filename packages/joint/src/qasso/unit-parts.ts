import { sizeOf, type Tensor } from '@espalier/core';
import type { CoupledGraph, Group } from '@espalier/pruners';

/** The part of one tensor that goes with the units of a group. */
export interface Part {
  readonly value: string;
  /** The tensor as [outer, size, inner]; units own indices of the middle axis. */
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  readonly each: number;
}

/** A group of units whose weights are zeroed together: those that produce the units, not those that read them. */
export interface UnitGroup {
  readonly group: Group;
  readonly units: number;
  readonly parts: readonly Part[];
  /** Elements of all parts per unit. */
  readonly elements: number;
}

/** The groups as the parts of float32 tensors that produce their units. `trained` says which tensors training moves. */
export function unitGroups(
  { graph }: CoupledGraph,
  groups: readonly Group[],
  trained: (value: string) => boolean,
): readonly UnitGroup[] {
  return groups.flatMap((group) => {
    const parts = group.slices.flatMap(({ value, axis, indices, each, role }): Part[] => {
      const tensor = graph.constants.get(value);
      if (role !== 'produces' || tensor?.dtype !== 'float32' || !trained(value)) return [];
      return [{ value, ...around(tensor, axis), indices, each }];
    });
    const elements = parts.reduce((sum, { outer, inner, each }) => sum + outer * inner * each, 0);
    return parts.length > 0 ? [{ group, units: group.units, parts, elements }] : [];
  });
}

const around = ({ shape }: Tensor, axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  size: shape[axis]!,
  inner: sizeOf(shape.slice(axis + 1)),
});

/** Calls back with the bounds of every run of neighbouring elements that a unit owns in a tensor. */
export function eachRun(
  { outer, size, inner, indices, each }: Part,
  unit: number,
  run: (from: number, to: number) => void,
): void {
  for (let block = 0; block < outer; block++) {
    for (let i = unit * each; i < (unit + 1) * each; i++) {
      const from = (block * size + indices[i]!) * inner;
      run(from, from + inner);
    }
  }
}
