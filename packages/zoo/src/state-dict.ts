import { type Graph, isFloat, type Tensor } from '@espalier/core';

/**
 * The float constants of a graph by name: weights, and the running statistics of batch norms. For a model of this
 * package these are the tensors of its PyTorch state dict; `writeSafetensors({ tensors: stateDict(graph) })` saves it.
 */
export const stateDict = (graph: Graph): ReadonlyMap<string, Tensor> =>
  new Map([...graph.constants].filter(([, { dtype }]) => isFloat(dtype)));
