import { type Graph, indexOf, intOf, type Node, subgraphsOf, type ValueId } from '@espalier/core';

/** Ops that hand whole numbers on as they are. */
const handsOn = new Set([
  'Cast',
  'Clip',
  'Concat',
  'Expand',
  'Flatten',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
  'Where',
]);

/** A value in the graph where it is read, and the graphs around that one, the innermost first. */
interface Place {
  readonly value: ValueId;
  readonly graphs: readonly [Graph, ...Graph[]];
}

/**
 * The number of rows of the smallest table that a value indexes: the index of a Gather, GatherElements or
 * embedding, behind casts and reshapes, in bodies of If, Loop and Scan too. Undefined where it picks none, or from a table of unknown size.
 */
export function indexedRows(graph: Graph, value: ValueId): number | undefined {
  const waiting: Place[] = [{ value, graphs: [graph] }];
  const seen = new Map<Graph, Set<ValueId>>();
  let rows: number | undefined;
  for (const place of waiting) {
    const [inner] = place.graphs;
    const values = seen.get(inner) ?? new Set();
    seen.set(inner, values);
    if (values.has(place.value)) continue;
    values.add(place.value);
    for (const { node, slot } of indexOf(inner).uses.get(place.value) ?? []) {
      const found = rowsPicked(place.graphs, node, slot);
      if (found !== undefined) rows = Math.min(rows ?? found, found);
      waiting.push(...placesAfter(place, node));
    }
  }
  return rows;
}

/** Where a value goes on behind a node that reads it. */
function placesAfter({ value, graphs }: Place, node: Node): readonly Place[] {
  const bodies = subgraphsOf(node).map((body): Place => ({ value, graphs: [body, ...graphs] }));
  const [output] = node.outputs;
  return handsOn.has(node.op) && output !== undefined ? [...bodies, { value: output, graphs }] : bodies;
}

/** The size of the axis that a node picks from, where `slot` is its index input. */
function rowsPicked(graphs: readonly Graph[], node: Node, slot: number): number | undefined {
  const table = (input: number, axis: number): number | undefined => {
    const value = node.inputs[input];
    if (value === undefined) return undefined;
    const shape = graphs
      .map(({ constants, values }) => constants.get(value)?.shape ?? values.get(value)?.shape)
      .find((known) => known !== undefined);
    const size = shape?.[axis < 0 ? axis + shape.length : axis];
    return typeof size === 'number' ? size : undefined;
  };
  switch (node.op) {
    case 'Gather':
    case 'GatherElements':
      return slot === 1 ? table(0, intOf(node, 'axis', 0)) : undefined;
    case 'GatherND':
      return slot === 1 ? table(0, 0) : undefined;
    case 'com.microsoft::GatherBlockQuantized':
      return slot === 1 ? table(0, intOf(node, 'gather_axis', 0)) : undefined;
    case 'com.microsoft::EmbedLayerNormalization':
      return slot < 2 ? table(slot === 0 ? 2 : 4, 0) : undefined;
    default:
      return undefined;
  }
}
