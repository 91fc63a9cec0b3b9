import { buildGraph, checkGraph, floats, type Graph, type GraphBuilder, type Tensor, toNumbers } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { fingerprint } from './graph-fingerprint.js';
import { must } from './kit.js';

/** A small network that losses are appended to: x [batch, 4] -> h [batch, 5] -> y [batch, 3], logits of three classes. */
export function smallNetwork(): Graph {
  const waves = (...shape: readonly [number, number]) =>
    floats(
      Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i + 1)),
      shape,
    );
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 4]);
  const h = b.add('Relu', [b.add('MatMul', [x, b.constant('w', waves(4, 5))], { name: 'product' })], { name: 'h' });
  b.output(b.add('MatMul', [h, b.constant('v', waves(5, 3))], { name: 'y' }));
  return inferShapes(b.finish());
}

/** Appends nodes to a graph and checks that nothing else of it changed. @throws KIT_FAILED. */
export function appended<T>(
  base: Graph,
  where: string,
  append: (builder: GraphBuilder) => T,
): { readonly graph: Graph; readonly made: T } {
  const builder = buildGraph(base);
  const made = append(builder);
  const graph = checkGraph(builder.finish());
  const kept = (each: Graph) =>
    fingerprint([
      each.nodes.slice(0, base.nodes.length),
      each.inputs,
      each.outputs,
      [...base.constants.keys()].map((name) => each.constants.get(name)),
    ]);
  must(kept(graph) === kept(base), where, {
    expected: 'nodes and constants added after those of the graph, and no inputs or outputs',
    found: 'another change of the graph',
  });
  return { graph: inferShapes(graph), made };
}

/** Whether all numbers of a tensor are finite. */
export const allFinite = (tensor: Tensor): boolean => toNumbers(tensor).every(Number.isFinite);
