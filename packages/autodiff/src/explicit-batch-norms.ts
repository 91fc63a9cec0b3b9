import { buildGraph, floatOf, floats, type Graph, int, longs, sortNodes, tensorInfo } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { unknownShape } from './errors.js';

/** Each `espalier::BatchNormTraining` in ops that can be differentiated twice. */
export function explicitBatchNorms(graph: Graph): Graph {
  const norms = graph.nodes.filter(({ op }) => op === 'espalier::BatchNormTraining');
  if (norms.length === 0) return graph;
  const b = buildGraph({ ...graph, nodes: graph.nodes.filter((node) => !norms.includes(node)) });
  const made = new Map<string, string>();
  for (const node of norms) {
    const [x, scale, bias] = node.inputs as [string, string, string]; // as its meaning says
    const rank = tensorInfo(graph, x)?.shape?.length;
    if (rank === undefined) throw unknownShape(node, x);
    const axes = b.constant('axes', longs(Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1)));
    const column = b.constant('column', longs([-1, ...new Array<number>(rank - 2).fill(1)]));
    const lined = (value: string) => b.add('Reshape', [value, column]);
    const mean = (value: string) => b.add('ReduceMean', [value, axes], { attributes: { keepdims: int(0) } });
    const centre = mean(x);
    const centred = b.add('Sub', [x, lined(centre)]);
    const variance = mean(b.add('Mul', [centred, centred]));
    const epsilon = b.constant('epsilon', floats([floatOf(node, 'epsilon', 1e-5)], []));
    const hat = b.add('Div', [centred, lined(b.add('Sqrt', [b.add('Add', [variance, epsilon])]))]);
    const y = b.add('Add', [b.add('Mul', [hat, lined(scale)]), lined(bias)]);
    [y, centre, variance].forEach((value, slot) => {
      const output = node.outputs[slot];
      if (output !== undefined) made.set(value, output);
    });
  }
  const finished = b.finish();
  const renamed = (value: string | undefined) => (value === undefined ? value : (made.get(value) ?? value));
  const nodes = finished.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  return inferShapes({ ...finished, nodes: sortNodes(nodes) });
}
