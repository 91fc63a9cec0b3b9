import type { Graph, Note } from '@espalier/core';
import { noteNodes } from '../note-nodes.js';
import { isWeighted, scaleAxis } from '../weight-axis.js';
import type { Unit } from './find-units.js';
import { isStored } from './is-stored.js';
import type { StaticPlan } from './plan-static.js';
import type { StaticSettings } from './static-settings.js';

/**
 * One note for every node that works on floats: quantized, kept because it was quantized before, or float and why.
 * Nodes that work on shapes, indices and truth values have none.
 */
export function staticNotes(graph: Graph, plan: StaticPlan, settings: StaticSettings): readonly Note[] {
  const tails = new Map<string, Unit>();
  for (const unit of plan.units.values()) if (unit.tail) tails.set(unit.tail.id, unit);
  return noteNodes(graph, (node) => {
    if (plan.done.has(node.id)) return { outcome: 'kept', reason: 'It was quantized before.' };
    const unit = plan.units.get(node.id);
    if (unit) return { outcome: 'quantized', ...quantizedNote(graph, unit, settings) };
    const before = tails.get(node.id);
    if (before && plan.values.has(before.outputs[0]!)) {
      return { outcome: 'quantized', reason: `The output grid of "${before.node.id}" clips as it does.` };
    }
    const reason = plan.reasons.get(node.id) ?? 'no integer op reads its result';
    if (!isStored(graph, node, settings)) return { outcome: 'float', reason };
    if (node.op === 'Gather') {
      const stored = 'Table stored in 8 bits, one scale per row; rows restored when looked up';
      return { outcome: 'quantized', reason: stored, details: { weightBits: 8, storedBits: 8, granularity: 'row' } };
    }
    return { outcome: 'float', reason: `${reason}; its weights are stored in 8 bits`, details: { storedBits: 8 } };
  });
}

function quantizedNote(
  graph: Graph,
  { node, rule, kernel, tail }: Unit,
  settings: StaticSettings,
): Pick<Note, 'reason' | 'details'> {
  const activations = `${settings.activations.bits}-bit activations`;
  const weighted = isWeighted(node.op) && graph.constants.has(node.inputs[1] ?? '');
  if (!weighted) {
    const how = rule.role === 'pass' ? 'Moves integers: output and input share a scale' : `On ${activations}`;
    return { reason: `${how}.`, details: { activationBits: settings.activations.bits } };
  }
  const byChannel = settings.perChannel && scaleAxis(graph, node, kernel) !== undefined;
  const granularity = byChannel ? 'channel' : 'tensor';
  const bits = settings.weights.bits;
  const absorbed = tail ? `, ${tail.op} absorbed` : '';
  const float = settings.fused
    ? ''
    : `; computed in float, as ${settings.target.name} has no kernel for these integers`;
  return {
    reason: `${bits}-bit weights, one scale per ${granularity}, ${activations}${absorbed}${float}.`,
    details: {
      weightBits: bits,
      granularity,
      activationBits: settings.activations.bits,
      ...(settings.fused ? {} : { compute: 'float32' }),
    },
  };
}
