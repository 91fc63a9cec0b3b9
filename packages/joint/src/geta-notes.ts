import type { Note } from '@espalier/core';
import { type QassoMemory, unitStates, unitsIn } from './qasso/memory.js';
import type { QassoPlan } from './qasso/plan.js';

/** A note for each group of units and each quantizer: what is left of it. */
export function getaNotes({ groups, quantizers }: QassoPlan, { units, widths }: QassoMemory): readonly Note[] {
  const cut = groups.map(({ group }, g): Note => {
    const removed = unitsIn(units[g]!, unitStates.removed).length;
    const after = group.units - removed;
    return {
      value: group.slices[0]!.value, // a group has a slice
      outcome: removed > 0 ? 'pruned' : 'kept',
      reason: `${after} of ${group.units} units are left.`,
      details: { group: group.id, before: group.units, after, units: removed },
    };
  });
  const activations = quantizers.flatMap(({ weight, node }, i): readonly Note[] =>
    weight === undefined
      ? [
          {
            node: node.id,
            value: node.inputs[0]!, // what it quantizes
            outcome: 'quantized',
            reason: `Activations of ${widths[i]} bits.`,
            details: { activationBits: widths[i]! },
          },
        ]
      : [],
  );
  const wide = quantizers.flatMap(({ weight }, i): readonly Note[] =>
    weight !== undefined && widths[i]! > 8
      ? [
          {
            value: weight,
            outcome: 'float',
            reason: `Its ${widths[i]} bits do not fit the codes of a file: it stays float32 on its grid.`,
          },
        ]
      : [],
  );
  return [...cut, ...activations, ...wide];
}
