import type { AxisRules, Graph } from '@espalier/core';
import { parametersOf } from '@espalier/ops';
import { costModel } from './cost-model.js';
import { coupled } from './coupled.js';
import type { Group } from './group.js';
import { prepareStructured } from './prepare-structured.js';

/** One group of units that can only be removed together, as plain JSON. */
export interface GroupRow {
  readonly id: string;
  readonly units: number;
  /** Parameters that go with one unit; those at a crossing of two groups count for both. */
  readonly parametersPerUnit: number;
  /** The constants that lose slices, with the axis and the indices per unit. */
  readonly members: readonly { readonly value: string; readonly axis: number; readonly each: number }[];
  readonly prunable: boolean;
  readonly reason: string | null;
  readonly changesStatistics: boolean;
}

/** The groups of a model, and how much of it they hold. */
export interface GroupTable {
  readonly groups: readonly GroupRow[];
  /** Parameters of the model, those that are in groups which can be cut, and those that need training afterwards. */
  readonly parameters: { readonly all: number; readonly prunable: number; readonly withStatistics: number };
}

/** Facts for a table of groups. */
export interface GroupTableOptions {
  /** Axis rules of custom ops. */
  readonly rules?: AxisRules;
  /** Parameters of the model as `costsOf` counts them. Default: those of the graph as pruning sees it. */
  readonly parameters?: number;
}

/**
 * The groups of a model as pruning sees it: what can be removed together, and what cannot go and why.
 *
 *     groupTable(graph).groups[0]; // { id: 'w/0', units: 16, parametersPerUnit: 27, prunable: true, ... }
 */
export function groupTable(graph: Graph, { rules, parameters }: GroupTableOptions = {}): GroupTable {
  const ready = prepareStructured(graph);
  const net = coupled(ready, rules ? { rules } : {});
  const { groups } = net;
  const all = parameters ?? costModel(net)(new Map()).parameters;
  const held = (of: readonly Group[]) => {
    // Readers of one vector have copies of it there, which share their elements: each counts once.
    const touched = of.flatMap(({ slices }) => slices.map(({ value }) => value));
    const once = new Map(touched.map((value) => [ready.constants.get(value), value]));
    return [...once.values()].reduce((sum, value) => sum + parametersOf(ready, value), 0);
  };
  const prunable = groups.filter((group) => group.prunable);
  return {
    groups: groups.map((group) => rowOf(ready, group)),
    parameters: {
      all,
      prunable: held(prunable.filter(({ changesStatistics }) => !changesStatistics)),
      withStatistics: held(prunable),
    },
  };
}

function rowOf(graph: Graph, { id, units, slices, prunable, reason, changesStatistics = false }: Group): GroupRow {
  const perUnit = slices.reduce((sum, { value, axis, each }) => {
    const { shape } = graph.constants.get(value)!; // slices are of constants
    return sum + (each * parametersOf(graph, value)) / shape[axis]!;
  }, 0);
  return {
    id,
    units,
    parametersPerUnit: perUnit,
    members: slices.map(({ value, axis, each }) => ({ value, axis, each })),
    prunable,
    reason: reason ?? null,
    changesStatistics,
  };
}
