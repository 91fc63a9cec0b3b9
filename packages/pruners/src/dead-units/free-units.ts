import { type Graph, isFloat, type Node, sizeOf, toFloats } from '@espalier/core';
import { firstCounts, isRefusal, movementOf, nary, type Relations, unary, where } from '@espalier/ops';
import type { CoupledGraph } from '../structured/coupled.js';
import type { Group, Slice } from '../structured/group.js';

/** Units whose every use in the graph is understood. */
export interface FreeUnits {
  /** Those that only plain layers read, by weights, after ops that keep each index to itself. */
  readonly known: ReadonlySet<number>;
  /** Those of them that all readers multiply by zero. */
  readonly unread: ReadonlySet<number>;
}

const elementwise = new Set([unary, nary, firstCounts, where]);
/** Ops whose output at an index of a channel depends on the same channel alone, beside those that move elements. */
const separate = new Set(
  'BatchNormalization MaxPool AveragePool LpPool GlobalMaxPool GlobalAveragePool GlobalLpPool Concat'.split(' '),
);

/** Looks at all that touches each unit of the groups that can be pruned without changing statistics. */
export function freeUnits(net: CoupledGraph): FreeUnits {
  const { graph } = net;
  const opaque = opaqueClasses(net);
  const known = new Set<number>();
  const unread = new Set<number>();
  const nonzero = new Map<Slice, Uint8Array>();
  for (const group of net.groups) {
    if (!group.prunable || group.changesStatistics) continue;
    const readers = group.slices.filter(({ role }) => role === 'sums');
    net.roots.get(group)!.forEach((root, unit) => {
      if (opaque.has(root) || readers.length === 0) return;
      known.add(root);
      const zero = readers.every((slice) => isZero(graph, slice, { unit, nonzero }));
      if (zero) unread.add(root);
    });
  }
  return { known, unread };
}

/** Whether the part of a constant that belongs to a unit is zero. */
export function isZero(
  graph: Graph,
  slice: Slice,
  { unit, nonzero }: { readonly unit: number; readonly nonzero: Map<Slice, Uint8Array> },
): boolean {
  let marks = nonzero.get(slice);
  if (!marks) {
    marks = nonzeroIndices(graph, slice);
    nonzero.set(slice, marks);
  }
  for (let i = 0; i < slice.each; i++) if (marks[slice.indices[unit * slice.each + i]!] !== 0) return false;
  return true;
}

/** 1 for each index of the slice's axis at which the constant holds something else than zeros. */
function nonzeroIndices(graph: Graph, { value, axis }: Slice): Uint8Array {
  const tensor = graph.constants.get(value)!; // slices are of constants
  const { shape, dtype } = tensor;
  const marks = new Uint8Array(shape[axis]!);
  if (!isFloat(dtype)) return marks.fill(1); // zeros of quantized weights are zero points
  const data = toFloats(tensor);
  const block = sizeOf(shape.slice(axis + 1));
  for (let at = 0, index = 0; at < data.length; index = (index + 1) % marks.length) {
    const end = at + block;
    if (marks[index] === 0) {
      for (let i = at; i < end; i++) {
        if (data[i] !== 0) {
          marks[index] = 1;
          break;
        }
      }
    }
    at = end;
  }
  return marks;
}

/** Classes that something else touches, of which it is not known what it makes of them. */
function opaqueClasses({ graph, relations }: CoupledGraph): ReadonlySet<number> {
  const { space, site } = relations;
  const opaque = new Set<number>();
  for (const node of graph.nodes) {
    if (isPlain(graph, node, relations)) continue;
    const { inputs, outputs } = site(node);
    for (const port of [...inputs, ...outputs]) {
      for (const { start, size } of port?.axes ?? []) for (let i = 0; i < size; i++) opaque.add(space.find(start + i));
    }
  }
  return opaque;
}

function isPlain(graph: Graph, node: Node, relations: Relations): boolean {
  if (elementwise.has(relations.ruleOf(node.op)) || separate.has(node.op) || movementOf(node.op)) return true;
  const weights = node.inputs.filter((value) => value !== undefined && graph.constants.has(value));
  const inputs = node.inputs.filter((value) => value !== undefined);
  return isPlainLayer(graph, node, relations) && weights.length >= inputs.length - 1;
}

/**
 * Layers that multiply their input by real weights and add a bias; a custom one has promised that what is zero in all
 * its inputs is zero in its outputs.
 */
export function isPlainLayer(graph: Graph, node: Node, relations: Relations): boolean {
  const layer = relations.layer(node);
  if (isRefusal(layer) || layer.fused || !['convolution', 'product', 'custom'].includes(layer.kind)) return false;
  return layer.weights.every(({ value }) => isFloat(graph.constants.get(value)!.dtype)); // weights are constants
}

/** The weights of more than one axis that make the units of a group. */
export const producersOf = (graph: Graph, { slices }: Group): readonly Slice[] =>
  slices.filter(({ value, role }) => {
    const { shape } = graph.constants.get(value)!; // slices are of constants
    return role === 'produces' && shape.filter((size) => size > 1).length > 1;
  });
