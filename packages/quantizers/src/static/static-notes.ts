import { type Graph, type Node, type Note, tensorInfo } from '@espalier/core';
import { isWeighted } from '../weight-axis.js';
import type { StaticPlan, Unit } from './plan-static.js';
import type { StaticSettings } from './static-settings.js';

/**
 * One note for every node that works on floats: quantized, kept because it was quantized before, or float and why.
 * Nodes that work on shapes, indices and truth values have none.
 */
export function staticNotes(graph: Graph, plan: StaticPlan, settings: StaticSettings): readonly Note[] {
  const tails = new Map<string, Unit>();
  for (const unit of plan.units.values()) if (unit.tail) tails.set(unit.tail.id, unit);
  return graph.nodes.flatMap((node): readonly Note[] => {
    const about = { node: node.id, op: node.op };
    if (plan.done.has(node.id)) return [{ ...about, outcome: 'kept', reason: 'It was quantized before.' }];
    const unit = plan.units.get(node.id);
    if (unit) return [{ ...about, outcome: 'quantized', ...quantizedNote(graph, unit, settings) }];
    const before = tails.get(node.id);
    if (before && plan.values.has(before.outputs[0]!)) {
      return [{ ...about, outcome: 'quantized', reason: `The output grid of "${before.node.id}" clips as it does.` }];
    }
    if (!worksOnFloats(graph, node)) return [];
    const stored = settings.storage && isStored(graph, node);
    const reason = plan.reasons.get(node.id) ?? 'no integer op reads its result';
    return [
      {
        ...about,
        outcome: 'float',
        reason: `${sentence(reason)}${stored ? ` Its weights are stored in ${settings.weights.bits} bits.` : ''}`,
        ...(stored ? { details: { storedBits: settings.weights.bits } } : {}),
      },
    ];
  });
}

function quantizedNote(
  graph: Graph,
  { node, rule, tail }: Unit,
  settings: StaticSettings,
): Pick<Note, 'reason' | 'details'> {
  const activations = `${settings.activations.bits}-bit activations`;
  const weighted = isWeighted(node.op) && graph.constants.has(node.inputs[1] ?? '');
  if (!weighted) {
    const how = rule.role === 'pass' ? 'Moves integers: output and input share a scale' : `On ${activations}`;
    return { reason: `${how}.`, details: { activationBits: settings.activations.bits } };
  }
  const granularity = settings.perChannel ? 'channel' : 'tensor';
  const bits = settings.weights.bits;
  return {
    reason: `${bits}-bit weights, one scale per ${granularity}, ${activations}${tail ? `, ${tail.op} absorbed` : ''}.`,
    details: { weightBits: bits, granularity, activationBits: settings.activations.bits },
  };
}

/** Whether a node reads or writes float tensors, as far as is known. */
export function worksOnFloats(graph: Graph, node: Node): boolean {
  if (node.op === 'Constant' || node.op === 'Shape') return false;
  const written = node.outputs.map((value) => (value === undefined ? undefined : tensorInfo(graph, value)?.dtype));
  if (written.some((dtype) => dtype?.includes('float'))) return true;
  return written.every((dtype) => dtype === undefined);
}

const isStored = (graph: Graph, node: Node): boolean =>
  node.op === 'ConvTranspose' && graph.constants.get(node.inputs[1] ?? '')?.dtype === 'float32';

const sentence = (reason: string): string => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
