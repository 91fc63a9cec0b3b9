import { editGraph, fromNumbers, type Graph, type Tensor, toNumbers, usesOf, type ValueId } from '@espalier/core';
import { outputAxis } from '../weight-axis.js';

/**
 * The same network with no negative factor in a batch norm behind a Conv or Gemm: where one is negative, it changes its
 * sign together with the weights, the bias and the mean of its channel. A lattice with one code more below zero than
 * above then keeps its codes when the batch norm goes into the weights. Only what one node alone reads is changed.
 */
export function positiveNorms(graph: Graph): Graph {
  const draft = editGraph(graph);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  for (const norm of graph.nodes) {
    const [input, gamma, , mean] = norm.inputs;
    if (norm.op !== 'BatchNormalization' || input === undefined || gamma === undefined || mean === undefined) continue;
    const layer = makers.get(input);
    if (!layer || (layer.op !== 'Conv' && layer.op !== 'Gemm') || graph.outputs.includes(input)) continue;
    const [, weight, bias] = layer.inputs;
    const names = [gamma, mean, weight, ...(bias === undefined ? [] : [bias])] as readonly ValueId[]; // layers have a weight
    const alone = [input, ...names].every((value) => usesOf(graph, value).length === 1);
    if (!alone || names.some((value) => !graph.constants.has(value))) continue;
    const factors = toNumbers(graph.constants.get(gamma)!); // as just checked
    if (factors.every((each) => each >= 0)) continue;
    const axes = new Map([[weight!, outputAxis(graph, layer)]]); // it has one
    for (const name of names) {
      const tensor = graph.constants.get(name)!;
      draft.setConstant(name, turned(tensor, { factors, axis: axes.get(name) ?? 0 }));
    }
  }
  return draft.finish();
}

function turned(
  tensor: Tensor,
  { factors, axis }: { readonly factors: ArrayLike<number>; readonly axis: number },
): Tensor {
  const { shape, dtype } = tensor;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const numbers = Array.from(toNumbers(tensor), (value, i) =>
    factors[Math.floor(i / inner) % factors.length]! < 0 ? -value : value,
  );
  return fromNumbers(dtype, shape, numbers);
}
