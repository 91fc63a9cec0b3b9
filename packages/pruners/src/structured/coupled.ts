import { type AxisPort, type AxisRules, checkKeys, type Graph, isFloat, type KeysOf } from '@espalier/core';
import { type RelateOptions, type Relations, relateAxes } from '@espalier/ops';
import { type AttentionClasses, attentionClasses } from './attention-classes.js';
import type { Group, Slice } from './group.js';
import { type ScoredWeight, scoredWeights } from './scored-weights.js';

/** A graph with all that must go together in it: made once by `coupled`, and passed to whatever scores or cuts. */
export interface CoupledGraph {
  readonly graph: Graph;
  /** Axis rules of custom ops, those passed to `coupled`. */
  readonly rules: AxisRules | undefined;
  readonly groups: readonly Group[];
  readonly relations: Relations;
  /** For each group the coordinate that stands for each of its units. */
  readonly roots: ReadonlyMap<Group, Int32Array>;
  readonly scored: ScoredWeight;
}

const keys: KeysOf<RelateOptions> = { attention: true, rules: true };

/**
 * Finds the minimally removable groups of a graph: every slice of every constant that must go together, found from what
 * the ops mean and from inferred shapes, never from names. Groups that cannot be pruned say why. Shapes must have
 * been inferred (`inferShapes`); after `simplify` more of them are known, and more can be pruned.
 *
 *     const net = coupled(inferShapes(graph));
 *     const small = cut(net, new Map([[net.groups[0].id, [0, 1]]])); // without its first two units
 */
export function coupled(graph: Graph, options: RelateOptions = {}): CoupledGraph {
  checkKeys<RelateOptions>('coupled', options, keys);
  const relations = relateAxes(graph, options);
  const attention = attentionClasses(graph, relations);
  const places: Place[] = [];
  const units = new Map<number, Unit>();
  for (const value of graph.constants.keys()) {
    const port = relations.ports.get(value);
    if (!port || !isCuttable(port, relations)) continue;
    for (const axis of port.axes.keys()) {
      if (!relations.space.marked(port.axes[axis]!.start, 'inner'))
        collect(relations, { port, axis }, { places, units });
    }
  }
  const paths = pathsOf(relations);
  const kinds = new Map<string, Unit[]>();
  for (const unit of units.values()) {
    const key = `${unit.axes.join()}|${relations.space.reasonOf(unit.root) ?? paths[unit.root]}`;
    const list = kinds.get(key);
    if (list) list.push(unit);
    else kinds.set(key, [unit]);
  }
  const roots = new Map<Group, Int32Array>();
  const taken = new Map<string, number>();
  const groups = [...kinds.values()].map((kind) => {
    const group = groupFrom(relations, kind, { places, taken, attention });
    roots.set(
      group,
      Int32Array.from(kind, ({ root }) => root),
    );
    return group;
  });
  return { graph, rules: options.rules, groups, relations, roots, scored: scoredWeights(graph) };
}

/** One class: where its members stand in constants. */
interface Unit {
  readonly root: number;
  /** Numbers of the constants' axes, and the indices on them, in order. */
  readonly axes: number[];
  readonly indices: number[];
}

interface Place {
  readonly port: AxisPort;
  readonly axis: number;
}

// Quantized weights are numbers too; wide integers are shapes, bounds and positions, unless a rule says otherwise.
const isCuttable = ({ constant, value }: AxisPort, relations: Relations): boolean =>
  constant !== undefined &&
  constant.shape.length > 0 &&
  (!['string', 'bool', 'int64', 'int32'].includes(constant.dtype) || relations.codeOf(value) !== undefined);

function collect(
  { space }: Relations,
  place: Place,
  { places, units }: { readonly places: Place[]; readonly units: Map<number, Unit> },
): void {
  const { start, size } = place.port.axes[place.axis]!;
  if (size === 1) return;
  const number = places.push(place) - 1;
  for (let i = 0; i < size; i++) {
    const root = space.find(start + i);
    let unit = units.get(root);
    if (!unit) {
      unit = { root, axes: [], indices: [] };
      units.set(root, unit);
    }
    unit.axes.push(number);
    unit.indices.push(i);
  }
}

/**
 * A number for each class that tells which axes of all values it runs through: units that take another way through
 * the graph are of another kind, so that every axis keeps an index as long as every group keeps a unit.
 */
function pathsOf({ space, ports }: Relations): Float64Array {
  const paths = new Float64Array(space.size).fill(1);
  for (const { axes } of ports.values()) {
    for (const { start, size } of axes) {
      if (size === 1) continue;
      for (let i = 0; i < size; i++) {
        const root = space.find(start + i);
        // A polynomial hash modulo a prime below 2^26: products stay exact in doubles.
        paths[root] = (paths[root]! * 33_554_393 + start + 1) % 67_108_859;
      }
    }
  }
  return paths;
}

interface Naming {
  readonly places: readonly Place[];
  readonly taken: Map<string, number>;
  readonly attention: AttentionClasses;
}

function groupFrom(relations: Relations, kind: readonly Unit[], { places, taken, attention }: Naming): Group {
  const [first] = kind as readonly [Unit, ...Unit[]]; // a kind has a unit
  const slices: Slice[] = [];
  for (let from = 0; from < first.axes.length; ) {
    const number = first.axes[from]!;
    let to = from;
    while (first.axes[to] === number) to++;
    const each = to - from;
    const indices = new Int32Array(kind.length * each);
    kind.forEach((unit, u) => {
      for (let i = 0; i < each; i++) indices[u * each + i] = unit.indices[from + i]!;
    });
    const { port, axis } = places[number]!;
    slices.push({ value: port.value, axis, indices, each, role: relations.role(port.value, axis) });
    from = to;
  }
  slices.sort((a, b) => rankOf(relations, b) - rankOf(relations, a)); // stable
  const reason = reasonFor(relations, first, slices);
  const part = partOfAttention(attention, kind);
  const statistics = relations.space.marked(first.root, 'statistics');
  return {
    id: nameOf(slices, taken),
    units: kind.length,
    slices,
    prunable: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    ...(part ? { attention: part } : {}),
    ...(statistics ? { changesStatistics: true } : {}),
  };
}

const partOfAttention = ({ heads, dimensions }: AttentionClasses, kind: readonly Unit[]): Group['attention'] => {
  const all = (classes: ReadonlySet<number>) => kind.every(({ root }) => classes.has(root));
  return all(heads) ? 'head' : all(dimensions) ? 'head-dimension' : undefined;
};

function reasonFor(
  { space, ports, codeOf }: Relations,
  { root, axes }: Unit,
  slices: readonly Slice[],
): string | undefined {
  const reason = space.reasonOf(root);
  if (reason !== undefined) return reason;
  if (space.sizeOf(root) === axes.length) return 'no op relates it to what the graph computes';
  const made = slices.some(
    ({ value, role }) => role === 'produces' && (isFloat(ports.get(value)!.constant!.dtype) || codeOf(value)), // slices are of constants
  );
  return made ? undefined : 'nothing makes it: no weight produces these indices';
}

// What makes a unit comes first, weights before biases and scales.
function rankOf({ ports }: Relations, { value, role }: Slice): number {
  const { shape } = ports.get(value)!; // slices are of ports
  return (role === 'produces' ? 2 : 0) + (shape.filter((size) => size > 1).length > 1 ? 1 : 0);
}

function nameOf([made]: readonly Slice[], taken: Map<string, number>): string {
  const wish = `${made!.value}/${made!.axis}`; // a group has a slice
  const count = (taken.get(wish) ?? 0) + 1;
  taken.set(wish, count);
  return count === 1 ? wish : `${wish}#${count}`;
}
