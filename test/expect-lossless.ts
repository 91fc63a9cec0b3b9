import { checkGraph, type Graph, type Pass } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { expect } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from './run-onnx.js';

/**
 * Runs a pass and checks what every pass promises: a sound graph, the same inputs and outputs, the same function (in
 * onnxruntime, on seeded data), and nothing more to do the second time. Returns the new graph.
 */
export async function expectLossless(
  pass: Pass,
  graph: Graph,
  {
    tolerance = 1e-5,
    sizes = {},
  }: { readonly tolerance?: number; readonly sizes?: Readonly<Record<string, number>> } = {},
): Promise<Graph> {
  const result = checkGraph(pass(graph));
  expect(pass(result), 'a second run returns the same object').toBe(result);
  expect([result.inputs, result.outputs]).toEqual([graph.inputs, graph.outputs]);
  const feeds = randomFeeds(graph, { sizes });
  const expected = await runOnnx(inferShapes(graph), feeds);
  const actual = await runOnnx(inferShapes(result), feeds);
  expect(largestDifference(expected, actual)).toBeLessThanOrEqual(tolerance);
  return result;
}
