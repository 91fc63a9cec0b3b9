import { type Dim, type Graph, isFloat, type ValueId, type ValueInfo } from '@espalier/core';

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

/** What a value is once symbols have their sizes. */
export const bindInfo = (info: ValueInfo, sizes: Sizes): ValueInfo =>
  info.shape ? { ...info, shape: bindShape(info.shape, sizes) } : info;

/** New shapes for the inputs whose shape has a symbol that is now known. */
export function boundInputs(graph: Graph, sizes: Sizes): ReadonlyMap<ValueId, readonly Dim[]> {
  const bound = new Map<ValueId, readonly Dim[]>();
  for (const input of graph.inputs) {
    const shape = graph.values.get(input)?.shape;
    if (shape?.some((dim) => typeof dim === 'string' && sizes.has(dim))) bound.set(input, bindShape(shape, sizes));
  }
  return bound;
}
