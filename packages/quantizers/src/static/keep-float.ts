import { createNode, type Graph, type Node, usesOf, type ValueId } from '@espalier/core';
import type { GraphWriter } from '../quantized-graph.js';
import type { StaticPlan } from './plan-static.js';
import type { StaticSettings } from './static-settings.js';

/** The graph under quantization, and where its nodes go. */
export interface KeepFloat {
  readonly graph: Graph;
  readonly plan: StaticPlan;
  readonly settings: StaticSettings;
  readonly writer: GraphWriter;
  /** Values that every reader reads dequantized, under another name. */
  readonly owned: ReadonlyMap<ValueId, ValueId>;
}

/**
 * A node that stays float, reading its input through a Clip without bounds where the runtime would take it for one to
 * be quantized: between two quantized values, as the input of one that `integer.requantized` lists.
 */
export function keepFloat({ graph, plan, settings, writer, owned }: KeepFloat, node: Node): Node {
  const input = owned.get(node.inputs[0] ?? '');
  const [output] = node.outputs;
  const listed = settings.target.integer.requantized?.includes(node.op) ?? false;
  if (!listed || input === undefined || output === undefined) return node;
  if (!plan.values.has(output) && !isClosed({ graph, plan }, output)) return node;
  const kept = writer.fresh(`${input}_kept`);
  writer.emit(createNode({ id: writer.fresh(`${kept}_Clip`), op: 'Clip', inputs: [input], outputs: [kept] }));
  return { ...node, inputs: [kept, ...node.inputs.slice(1)] };
}

const activations: ReadonlySet<string> = new Set(['Relu', 'Clip']);

// An activation between the node and its quantized output is no obstacle for the runtime.
const isClosed = ({ graph, plan }: Pick<KeepFloat, 'graph' | 'plan'>, output: ValueId): boolean =>
  usesOf(graph, output).some(({ node }) => activations.has(node.op) && plan.values.has(node.outputs[0] ?? ''));
