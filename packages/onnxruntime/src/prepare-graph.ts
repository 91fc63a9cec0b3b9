import { type Graph, indexOf, opsetOf } from '@espalier/core';
import { convertOpset, lowerCustomOps } from '@espalier/passes';
import { blockSize } from './fast/block-size.js';
import { fastTraining } from './fast/fast-training.js';
import { trainingOps } from './fast/rules.js';
import type { Runtime } from './runtime.js';

/** The opsets between which onnxruntime 1.30 has kernels. */
const [oldest, newest] = [7, 26];

/**
 * The graph as it is handed to the runtime: ops of the espalier domain written as ops that the runtime has, and opsets
 * that it does not load as the nearest one that it does. @throws PASS_OPSET naming a node that has no such form.
 */
export async function prepareGraph(runtime: Runtime, given: Graph): Promise<Graph> {
  const version = opsetOf(given);
  const graph = version === 0 ? given : convertOpset(given, Math.min(Math.max(version, oldest), newest));
  const trains = graph.nodes.some(({ op }) => trainingOps.has(op));
  const lowered = trains ? fastTraining(graph, await blockSize(runtime)) : graph;
  return lowerCustomOps(lowered, { qdq: trains && !hasConstantWeights(graph) });
}

/**
 * Whether a layer has a weight that the runtime can compute when it loads the graph. Between QuantizeLinear and
 * DequantizeLinear it would put such a weight on 8 bits of its own, and a fake-quantizer would no longer be exact.
 */
function hasConstantWeights(graph: Graph): boolean {
  const { producer } = indexOf(graph);
  const isConstant = (value: string | undefined): boolean => {
    if (value === undefined || graph.constants.has(value)) return value !== undefined;
    const made = producer.get(value);
    return made?.op === 'espalier::FakeQuantize' && made.inputs.every((each) => each === undefined || isConstant(each));
  };
  return graph.nodes.some(({ op, inputs }) => layers.has(op) && isConstant(inputs[1]));
}

const layers: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);
