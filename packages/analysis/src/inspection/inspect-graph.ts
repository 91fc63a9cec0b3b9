import { byteLength, type Graph, type Node, opsetOf, subgraphsOf, tensorInfo, type ValueId } from '@espalier/core';
import type { Costs, LayerCost } from '../costs/costs.js';
import { type CostOptions, costsOf } from '../costs/costs-of.js';
import type { Inspection, LayerSummary, PortSummary } from './inspection.js';

/** Facts about the file that the graph came from. */
export interface InspectOptions extends CostOptions {
  /** Size of the file (with its external data); the bytes of the constants when left out. */
  readonly bytes?: number;
  /** Name of the format, `onnx` when left out. */
  readonly format?: string;
}

/** Everything `inspect` says about a model, as plain JSON. */
export function inspectGraph(graph: Graph, { bytes, format = 'onnx', ...options }: InspectOptions = {}): Inspection {
  const costs = costsOf(graph, options);
  const ops = opCounts(graph);
  return {
    format,
    name: graph.name,
    opset: opsetOf(graph),
    opsets: Object.fromEntries(graph.opsets),
    producer: producerOf(graph),
    inputs: graph.inputs.map((value) => portSummary(graph, value)),
    outputs: graph.outputs.map((value) => portSummary(graph, value)),
    nodes: Object.values(ops).reduce((sum, count) => sum + count, 0),
    parameters: costs.parameters,
    nonZero: costs.nonZero,
    bytes: bytes ?? costs.bytes,
    weightBytes: costs.bytes,
    macs: costs.macs ?? null,
    leastMacs: costs.leastMacs ?? null,
    bops: costs.bops ?? null,
    knownMacs: costs.knownMacs,
    unknown: costs.unknown,
    assumed: costs.assumed,
    activations: costs.activations,
    ops,
    dtypes: bytesByDtype(graph),
    layers: costs.layers.map((layer) => layerSummary(graph, layer)),
    sizes: costs.sizes,
    warnings: warningsOf(graph, costs),
  };
}

/** A layer's cost as plain JSON. */
export const layerSummary = (graph: Graph, layer: LayerCost): LayerSummary => ({
  node: layer.node,
  op: layer.op,
  weight: layer.weight ?? null,
  weightShape: (layer.weight === undefined ? undefined : graph.constants.get(layer.weight)?.shape) ?? null,
  parameters: layer.parameters,
  nonZero: layer.nonZero,
  bytes: layer.bytes,
  macs: layer.macs ?? null,
  bops: layer.bops ?? null,
  weightBits: layer.weightBits ?? null,
  activationBits: layer.activationBits ?? null,
});

/** Number of nodes of each op, subgraphs included, most frequent first. */
export function opCounts(graph: Graph): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      counts.set(node.op, (counts.get(node.op) ?? 0) + 1);
      for (const body of subgraphsOf(node)) visit(body.nodes);
    }
  };
  visit(graph.nodes);
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

function portSummary(graph: Graph, value: ValueId): PortSummary {
  const info = tensorInfo(graph, value);
  return { name: value, dtype: info?.dtype ?? null, shape: info?.shape ?? null };
}

function producerOf({ provenance: { producer, producerVersion } }: Graph): string | null {
  return producer ? [producer, producerVersion].filter(Boolean).join(' ') : null;
}

function bytesByDtype(graph: Graph): Readonly<Record<string, number>> {
  const bytes = new Map<string, number>();
  for (const tensor of graph.constants.values()) {
    bytes.set(tensor.dtype, (bytes.get(tensor.dtype) ?? 0) + byteLength(tensor));
  }
  return Object.fromEntries([...bytes].sort(([, m], [, n]) => n - m));
}

function warningsOf(graph: Graph, costs: Costs): readonly string[] {
  const warnings: string[] = [];
  if (costs.unknown.length > 0) {
    warnings.push(
      `The MACs of ${costs.unknown.length} of ${graph.nodes.length} nodes are not known; give sizes to symbolic dimensions, or see \`unknown\`.`,
    );
  }
  for (const { node, op, macs, leastMacs } of costs.nodes) {
    if (leastMacs === undefined) continue;
    warnings.push(`Node "${node}" (${op}) takes ${leastMacs} to ${macs} MACs: the data decides which branch runs.`);
  }
  for (const { node, op, reason } of costs.assumed) {
    warnings.push(`Node "${node}" (${op}): ${reason}.`);
  }
  const zeros = costs.parameters - costs.nonZero;
  if (zeros > costs.parameters * 0.1) {
    const share = Math.round((100 * zeros) / costs.parameters);
    warnings.push(`${share} % of the parameters are zero. Zeros do not make a dense file smaller, nor faster to run.`);
  }
  return warnings;
}
