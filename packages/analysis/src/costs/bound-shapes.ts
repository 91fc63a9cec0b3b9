import { type Dim, EspalierError, type Graph, isFloat, type ValueInfo } from '@espalier/core';
import { inferShapes } from '@espalier/ops';

/** Sizes for symbolic dimensions, by name. */
export type Sizes = ReadonlyMap<string, number>;

/**
 * The sizes under which costs are counted: what was given, and 1 for the symbol that leads an input's shape when that
 * input has further axes or is real-valued (the batch), so that costs are those of one sample.
 */
export function sizesFor(graph: Graph, given: Sizes = new Map()): Sizes {
  const sizes = new Map(given);
  for (const input of graph.inputs) {
    const info = graph.values.get(input);
    const lead = info?.shape?.[0];
    if (!info || typeof lead !== 'string' || sizes.has(lead)) continue;
    if (info.shape!.length > 1 || isFloat(info.dtype)) sizes.set(lead, 1);
  }
  return sizes;
}

/** Shapes with symbols replaced. */
export const bindShape = (shape: readonly Dim[], sizes: Sizes): readonly Dim[] =>
  shape.map((dim) => (typeof dim === 'string' ? (sizes.get(dim) ?? dim) : dim));

/** The facts about a value after symbols have their sizes. */
export const bindInfo = (info: ValueInfo, sizes: Sizes): ValueInfo =>
  info.shape ? { ...info, shape: bindShape(info.shape, sizes) } : info;

/**
 * The graph with every shape worked out under these sizes. Where the file cannot run at them (a Reshape that fixes
 * another batch), shapes are those of the file as it stands. @throws GRAPH_SHAPE when those contradict each other.
 */
export function boundShapes(graph: Graph, sizes: Sizes): Graph {
  const values = new Map(graph.values);
  for (const input of graph.inputs) {
    const info = values.get(input);
    if (info) values.set(input, bindInfo(info, sizes));
  }
  try {
    return inferShapes({ ...graph, values });
  } catch (error) {
    if (!(error instanceof EspalierError) || error.code !== 'GRAPH_SHAPE') throw error;
    return inferShapes(graph);
  }
}
