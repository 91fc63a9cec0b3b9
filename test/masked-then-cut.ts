import { buildGraph, floats, type Graph, type GraphBuilder, longs, type Tensor, type ValueId } from '@espalier/core';
import { inferShapes, type RelateOptions } from '@espalier/ops';
import { coupled, cut, type Group, maskGroups, type Removals } from '@espalier/pruners';
import { largestDifference, randomFeeds, runOnnx } from './run-onnx.js';

/** A builder with weights of distinct small values that alternate in sign, the same each time. */
export interface NetBuilder extends GraphBuilder {
  weight(name: string, ...shape: number[]): ValueId;
  /** A list of whole numbers. */
  list(name: string, ...numbers: number[]): ValueId;
  /** The graph, with shapes inferred. */
  made(): Graph;
}

/** Opens a builder at an operator set of ONNX, and at version 1 of onnxruntime's. */
export function netBuilder(opset = 17): NetBuilder {
  const b = buildGraph({
    inputs: [],
    outputs: [],
    nodes: [],
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
  });
  return {
    ...b,
    weight: (name, ...shape) => b.constant(name, waves(name, shape)),
    list: (name, ...numbers) => b.constant(name, longs(numbers)),
    made: () => inferShapes(b.finish()),
  };
}

/** Values of a sine that starts elsewhere for each name. */
export function waves(name: string, shape: readonly number[], scale = 0.5): Tensor<'float32'> {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const start = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return floats(
    Float32Array.from({ length: count }, (_, i) => scale * Math.sin(start + 3 * i)),
    shape,
  );
}

/** The groups whose removal is exact. */
export const exactGroups = (graph: Graph, options: RelateOptions = {}): readonly Group[] =>
  coupled(graph, options).groups.filter(({ prunable, changesStatistics }) => prunable && !changesStatistics);

/** For each exact group its id, units, and how many indices of which axes go with a unit. */
export const shownGroups = (graph: Graph, options: RelateOptions = {}): readonly string[] =>
  exactGroups(graph, options).map(({ id, units, slices }) => {
    const parts = slices.map(({ value, axis, each }) => `${value}/${axis}${each > 1 ? ` x${each}` : ''}`);
    return `${id}: ${units} of ${parts.sort().join(', ')}`;
  });

/** The first unit of every exact group with several, or those that are asked for. */
export const firstUnits = (graph: Graph, options: RelateOptions = {}): Removals =>
  new Map(
    exactGroups(graph, options)
      .filter(({ units }) => units > 1)
      .map(({ id }) => [id, [0]]),
  );

/**
 * How much a cut differs from the masked graph in onnxruntime, relative to the largest output; how much the mask
 * changed, so that a test can see that something happened.
 */
export async function maskedThenCut(
  graph: Graph,
  {
    removals,
    options = {},
    feeds = randomFeeds(graph),
  }: { removals?: Removals; options?: RelateOptions; feeds?: ReturnType<typeof randomFeeds> } = {},
): Promise<{ readonly difference: number; readonly changed: number; readonly small: Graph }> {
  const gone = removals ?? firstUnits(graph, options);
  const small = cut(coupled(graph, options), gone);
  const masked = await runOnnx(maskGroups(coupled(graph, options), gone), feeds);
  return {
    difference: largestDifference(masked, await runOnnx(small, feeds)),
    changed: largestDifference(await runOnnx(graph, feeds), masked),
    small,
  };
}
